import pytest
from check_under_test import judge_one

from keptn_doctor.api import Condition, Workload
from keptn_doctor.testing import keptn_service, pod_of, seen, workload_of, world

SERVICE = keptn_service()
USED_UP = 'pods "x" is forbidden: exceeded quota: team, requested: cpu=1, used: cpu=2'
UNSTATED = 'pods "x" is forbidden: failed quota: team: must specify limits.memory'
RANGE = 'pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi'


def _refused(message, *pods, desired=1):
    failure = Condition(type="ReplicaFailure", status="True", message=message)
    fact = Workload(
        workload_kind="Deployment", namespace="keptn-exec", name="helm-service", desired=desired,
        conditions=(failure,), pods=pods,
    )  # fmt: skip
    return world(SERVICE, seen(SERVICE, fact))


FAILS = [_refused(USED_UP), _refused(UNSTATED), _refused(RANGE)]
PASSES = [
    world(SERVICE, workload_of(SERVICE)),
    _refused('pods "x" is forbidden: violates PodSecurity "restricted:latest"'),
]


@pytest.mark.parametrize("message", [USED_UP, UNSTATED, RANGE])
def test_each_kind_of_limit_is_told(message):
    finding = judge_one(__file__, _refused(message))

    assert message in finding.summary
    assert finding.breaks == "disconnected"


def test_while_a_pod_runs_it_is_advice():
    assert judge_one(__file__, _refused(USED_UP, pod_of(SERVICE), desired=2)).breaks == "nothing"


@pytest.mark.parametrize(("message", "known"), [(USED_UP, True), (UNSTATED, True), (RANGE, False)])
def test_the_quota_is_what_is_broken_when_it_has_a_name(message, known):
    assert bool(judge_one(__file__, _refused(message)).at_fault) is known
