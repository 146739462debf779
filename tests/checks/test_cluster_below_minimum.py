import pytest
from check_under_test import judge_one

from keptn_doctor.api import Nodes, NodeState
from keptn_doctor.testing import seen, world


def _nodes(*sizes):
    nodes = tuple(
        NodeState(name=f"n{i}", allocatable_cpu_m=cpu, allocatable_memory_mi=memory, ready=ready)
        for i, (cpu, memory, ready) in enumerate(sizes)
    )
    return world(seen("control-plane/keptn", Nodes(nodes=nodes)))


FAILS = [_nodes((1000, 2048, True)), _nodes((1940, 3400, True))]
PASSES = [_nodes((4000, 16000, True)), _nodes((1000, 2048, True), (1000, 2048, True))]


@pytest.mark.parametrize(("number", "severity"), [(0, "warning"), (1, "info")])
def test_slightly_under_is_a_note_and_nothing_is_broken(number, severity):
    finding = judge_one(__file__, FAILS[number])

    assert (finding.severity, finding.breaks) == (severity, "nothing")


def test_a_node_that_is_not_ready_does_not_count():
    assert judge_one(__file__, _nodes((1000, 2048, True), (8000, 32000, False))).status == "fail"


def test_nodes_of_unknown_size_are_unknown():
    assert judge_one(__file__, _nodes((None, None, True))).status == "unknown"
