from check_under_test import judge_one

from keptn_doctor.api import TokenState
from keptn_doctor.testing import container, keptn_service, pod_of, workload_of, world

SERVICE = keptn_service()
STUCK = container(
    state="waiting", reason="CreateContainerConfigError", message='configmap "x" not found'
)

FAILS = [world(SERVICE, workload_of(SERVICE, pod_of(SERVICE, STUCK)))]
PASSES = [world(SERVICE, workload_of(SERVICE))]


def test_the_kubelet_is_quoted():
    assert 'configmap "x" not found' in judge_one(__file__, FAILS[0]).summary


def test_the_tokens_secret_is_left_to_its_own_check():
    token = keptn_service(token=TokenState(source="missing"))
    snapshot = world(token, workload_of(token, pod_of(token, STUCK)))

    assert judge_one(__file__, snapshot).status == "skip"


def test_beside_a_pod_that_runs_it_is_advice():
    both = world(SERVICE, workload_of(SERVICE, pod_of(SERVICE), pod_of(SERVICE, STUCK, name="n")))

    assert judge_one(__file__, both).breaks == "nothing"


def test_what_does_not_exist_is_what_is_broken():
    (thing,) = judge_one(__file__, FAILS[0]).at_fault

    assert thing == "configmap keptn-exec/x of exec-a is missing"
