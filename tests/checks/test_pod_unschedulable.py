from check_under_test import judge_one

from keptn_doctor.api import Condition, Workload
from keptn_doctor.testing import keptn_service, pod_of, seen, workload_of, world

SERVICE = keptn_service()
FULL = Condition(
    type="PodScheduled", status="False", message="0/1 nodes are available: 1 Insufficient cpu."
)
PENDING = pod_of(SERVICE, name="pending", phase="Pending", conditions=(FULL,))

FAILS = [world(SERVICE, workload_of(SERVICE, PENDING))]
PASSES = [world(SERVICE, workload_of(SERVICE))]


def test_the_scheduler_is_quoted():
    lone = world(SERVICE, workload_of(SERVICE, pod_of(SERVICE, conditions=(FULL,))))

    assert "Insufficient cpu" in judge_one(__file__, lone).summary


def test_beside_a_pod_that_runs_it_is_advice():
    both = world(SERVICE, workload_of(SERVICE, pod_of(SERVICE), PENDING))

    assert judge_one(__file__, both).breaks == "nothing"


def test_without_pods_there_is_nothing_to_place():
    none = Workload(workload_kind="Deployment", namespace="keptn-exec", name="helm-service")

    assert judge_one(__file__, world(SERVICE, seen(SERVICE, none))).status == "unknown"


def test_the_room_on_the_nodes_is_what_is_broken():
    assert judge_one(__file__, FAILS[0]).at_fault == ("nodes of exec-a: cpu",)
