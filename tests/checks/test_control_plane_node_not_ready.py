from check_under_test import judge_one

from keptn_doctor.api import Condition, Layer, Nodes, NodeState
from keptn_doctor.testing import component, control_plane_runs, seen, world

KEPTN = "control-plane/keptn"
FINE = NodeState(name="n1")
LOST = NodeState(name="n2", ready=False)
FULL = NodeState(name="n3", conditions=(Condition(type="MemoryPressure", status="True"),))
DOWN = control_plane_runs(component("api-service", ready=0))


def _world(*nodes, runs=None):
    looks = (seen(KEPTN, Nodes(nodes=nodes)), runs or control_plane_runs())
    return world(*looks)


FAILS = [_world(LOST, runs=DOWN), _world(FULL)]
PASSES = [_world(FINE), _world(FINE, LOST, runs=DOWN), _world(FINE, runs=DOWN)]


def test_what_is_away_with_the_nodes_decides_the_rung():
    finding = judge_one(__file__, FAILS[0])

    assert (finding.breaks, finding.layer) == ("disconnected", Layer.AUTH)


def test_while_every_part_is_ready_it_is_advice():
    finding = judge_one(__file__, FAILS[1])

    assert (finding.breaks, finding.severity) == ("nothing", "warning")
    assert "short of memory" in finding.summary
