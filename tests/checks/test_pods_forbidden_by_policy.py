import msgspec
import pytest
from check_under_test import judge_one

from keptn_doctor.api import Condition, KubeEvent, Workload
from keptn_doctor.testing import keptn_service, pod_of, seen, workload_of, world

SERVICE = keptn_service()
PSA = 'pods "helm-service-1" is forbidden: violates PodSecurity "restricted:latest": seccompProfile'
HOOK = 'admission webhook "validate.kyverno.svc" denied the request: no limits'
QUOTA = 'pods "helm-service-1" is forbidden: exceeded quota: team'
BARE = Workload(workload_kind="Deployment", namespace="keptn-exec", name="helm-service", desired=1)


def _refused(message, **fields):
    failure = Condition(type="ReplicaFailure", status="True", message=message)
    fact = msgspec.structs.replace(BARE, conditions=(failure,), **fields)
    return world(SERVICE, seen(SERVICE, fact))


EVENT = KubeEvent(
    object_kind="ReplicaSet", object_name="helm-service-1", reason="FailedCreate", message=PSA
)

FAILS = [
    _refused(PSA),
    _refused(HOOK),
    world(SERVICE, seen(SERVICE, msgspec.structs.replace(BARE, events=(EVENT,)))),
]
PASSES = [world(SERVICE, workload_of(SERVICE))]


@pytest.mark.parametrize("message", [PSA, HOOK])
def test_the_refusal_is_quoted(message):
    assert message in judge_one(__file__, _refused(message)).summary


def test_a_quota_is_left_to_its_own_check():
    assert judge_one(__file__, _refused(QUOTA)).status == "skip"


def test_while_a_pod_runs_it_is_advice():
    finding = judge_one(__file__, _refused(PSA, pods=(pod_of(SERVICE),), desired=2))

    assert (finding.breaks, finding.severity) == ("nothing", "warning")


def test_a_refusal_of_long_ago_is_over_when_all_pods_are_there():
    assert judge_one(__file__, _refused(PSA, pods=(pod_of(SERVICE),))).status == "pass"


@pytest.mark.parametrize(("message", "known"), [(PSA, True), (HOOK, False)])
def test_the_level_of_the_namespace_is_what_is_broken(message, known):
    assert bool(judge_one(__file__, _refused(message)).at_fault) is known
