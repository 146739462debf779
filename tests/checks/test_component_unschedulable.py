from check_under_test import judge_one

from keptn_doctor.api import Condition, Nodes, NodeState
from keptn_doctor.testing import component, control_plane_runs, pod_of, seen, world


def _waits(name, message, *, ready=0):
    condition = Condition(type="PodScheduled", status="False", message=message)
    pod = pod_of("keptn", phase="Pending", conditions=(condition,))
    return control_plane_runs(component(name, pod, ready=ready))


SMALL = "0/1 nodes are available: 1 Insufficient memory."
NODES = Nodes(nodes=(NodeState(name="n", allocatable_cpu_m=700),), requested_cpu_m=650)

FAILS = [world(_waits("keptn-mongo", SMALL)), world(_waits("bridge", SMALL))]
PASSES = [
    world(control_plane_runs()),
    world(_waits("keptn-mongo", "pod has unbound immediate PersistentVolumeClaims")),
]


def test_the_scheduler_is_quoted_with_the_room_there_is():
    snapshot = world(_waits("keptn-mongo", SMALL), seen("control-plane/keptn", NODES))
    summary = judge_one(__file__, snapshot).summary

    assert "Insufficient memory" in summary
    assert "Of 700m CPU on 1 ready nodes, 650m are requested." in summary


def test_a_part_off_the_way_breaks_nothing():
    assert judge_one(__file__, FAILS[1]).breaks == "nothing"


def test_a_second_pod_without_a_node_is_advice():
    assert judge_one(__file__, world(_waits("keptn-mongo", SMALL, ready=1))).breaks == "nothing"
