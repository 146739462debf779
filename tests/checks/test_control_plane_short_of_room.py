import pytest
from check_under_test import judge_one

from keptn_doctor.api import Nodes, NodeState
from keptn_doctor.testing import component, container, control_plane_runs, pod_of, seen, world

MONGO = component(
    "keptn-mongo",
    pod_of("keptn", container("mongodb", request_cpu_m=200, request_memory_mi=100)),
)


def _room(cpu, memory, *, requested=(1000, 2000)):
    node = NodeState(name="n", allocatable_cpu_m=2000, allocatable_memory_mi=4000)
    used = (2000 - cpu, 4000 - memory) if requested else (None, None)
    fact = Nodes(nodes=(node,), requested_cpu_m=used[0], requested_memory_mi=used[1])
    runs = control_plane_runs(MONGO, version="0.19.3")
    return world(seen("control-plane/keptn", fact), runs)


FAILS = [_room(150, 2000), _room(900, 50)]
PASSES = [_room(200, 100), _room(1500, 3000)]


@pytest.mark.parametrize("snapshot", FAILS)
def test_it_is_a_note_with_both_numbers(snapshot):
    finding = judge_one(__file__, snapshot)

    assert (finding.severity, finding.breaks) == ("info", "nothing")
    assert "requests 200m and 100 MiB" in finding.summary
    assert "All of Keptn 0.19.3 requests 875m" in finding.summary


def test_without_all_pods_nothing_is_said():
    assert judge_one(__file__, _room(0, 0, requested=None)).status == "unknown"
