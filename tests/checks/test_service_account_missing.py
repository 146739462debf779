from check_under_test import judge_one

from keptn_doctor.api import Condition, Workload
from keptn_doctor.testing import keptn_service, pod_of, seen, workload_of, world

SERVICE = keptn_service()
GONE = (
    'pods "x" is forbidden: error looking up service account keptn-exec/helm-service: '
    'serviceaccount "helm-service" not found'
)


def _refused(message, *pods, desired=1):
    failure = Condition(type="ReplicaFailure", status="True", message=message)
    fact = Workload(
        workload_kind="Deployment", namespace="keptn-exec", name="helm-service", desired=desired,
        conditions=(failure,), pods=pods,
    )  # fmt: skip
    return world(SERVICE, seen(SERVICE, fact))


FAILS = [_refused(GONE)]
PASSES = [
    world(SERVICE, workload_of(SERVICE)),
    _refused('pods "x" is forbidden: exceeded quota: team'),
]


def test_the_command_makes_the_account():
    finding = judge_one(__file__, FAILS[0])

    assert finding.breaks == "disconnected"
    assert finding.command.endswith("create serviceaccount helm-service")


def test_while_a_pod_runs_it_is_advice():
    assert judge_one(__file__, _refused(GONE, pod_of(SERVICE), desired=2)).breaks == "nothing"


def test_the_account_is_what_is_broken():
    assert judge_one(__file__, FAILS[0]).at_fault == (
        "service account keptn-exec/helm-service of exec-a is missing",
    )
