import pytest
from check_under_test import judge_one

from keptn_doctor.api import KubeEvent
from keptn_doctor.testing import ago, container, keptn_service, pod_of, workload_of, world

SERVICE = keptn_service()
NO_SECRET = 'MountVolume.SetUp failed for volume "keys" : secret "load-keys" not found'


def _pod(reason="FailedMount", *, age=600, waits="ContainerCreating"):
    stuck = container("distributor", "waiting", reason=waits)
    event = KubeEvent(object_kind="Pod", object_name="x", reason=reason, message=NO_SECRET)
    return pod_of(SERVICE, stuck, events=(event,), created_at=ago(age), node="node-1")


def _world(*pods):
    return world(SERVICE, workload_of(SERVICE, *pods))


FAILS = [
    _world(_pod()),
    _world(_pod("FailedAttachVolume")),
    _world(_pod("FailedCreatePodSandBox", waits="PodInitializing")),
]
PASSES = [
    world(SERVICE, workload_of(SERVICE)),
    _world(_pod("Pulling")),
    _world(_pod(age=20)),
    _world(_pod(waits="ImagePullBackOff")),
]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_kubelet_is_quoted(number):
    finding = judge_one(__file__, FAILS[number])

    assert 'secret "load-keys" not found' in finding.summary
    assert finding.breaks == "disconnected"


def test_while_another_pod_runs_it_is_advice():
    assert judge_one(__file__, _world(_pod(), pod_of(SERVICE))).breaks == "nothing"


@pytest.mark.parametrize(
    ("number", "thing"),
    [(0, "secret keptn-exec/load-keys of exec-a is missing"),
     (2, "pod network of node node-1 of exec-a")],
)  # fmt: skip
def test_the_missing_object_or_the_nodes_network_is_what_is_broken(number, thing):
    assert judge_one(__file__, FAILS[number]).at_fault == (thing,)
