import pytest
from check_under_test import judge_one

from keptn_doctor.api import Condition, ExecutionPlane, Nodes, NodeState
from keptn_doctor.testing import keptn_service, pod_of, seen, workload_of, world

PLANE = ExecutionPlane(name="exec-a", context="exec-a")
SERVICE = keptn_service()
FINE = NodeState(name="n1")
LOST = NodeState(name="n2", ready=False)
FULL = NodeState(name="n3", conditions=(Condition(type="DiskPressure", status="True"),))
PENDING = workload_of(
    SERVICE,
    pod_of(SERVICE, conditions=(Condition(type="PodScheduled", status="False", message="no"),)),
)


def _world(*nodes, more=()):
    return world(PLANE, SERVICE, seen(PLANE, Nodes(nodes=nodes)), *more)


FAILS = [_world(LOST), _world(FULL, more=(PENDING,)), _world(FULL)]
PASSES = [_world(FINE), _world(FINE, LOST)]


@pytest.mark.parametrize(
    ("number", "breaks"), [(0, "disconnected"), (1, "disconnected"), (2, "nothing")]
)
def test_it_matters_when_no_node_is_left_and_pods_feel_it(number, breaks):
    assert judge_one(__file__, FAILS[number]).breaks == breaks


def test_what_has_run_out_is_told():
    assert "n3 is short of disk space" in judge_one(__file__, FAILS[2]).summary
