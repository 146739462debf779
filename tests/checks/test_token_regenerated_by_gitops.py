import pytest
from check_under_test import judge_one

from keptn_doctor.api import ReferenceToken, TokenState
from keptn_doctor.testing import ago, keptn_service, own_request, seen, world

OLD = keptn_service(token=TokenState(source="value", fingerprint="b", stripped_fingerprint="b"))
SAME = keptn_service(token=TokenState(source="value", fingerprint="a", stripped_fingerprint="a"))


def _secret(*managers, **fields):
    fact = ReferenceToken(
        namespace="keptn", name="keptn-api-token", fingerprint="a", managers=managers, **fields
    )
    return seen("control-plane/keptn", fact)


FAILS = [
    world(OLD, _secret("helm", "argocd-controller", changed_at=ago(9000))),
    world(OLD, _secret("kustomize-controller")),
]
PASSES = [
    world(OLD, _secret("argocd-controller", "kubectl-edit")),
    world(SAME, _secret("argocd-controller")),
    world(OLD, _secret("argocd-controller"), own_request(OLD)),
]


@pytest.mark.parametrize("tool", ["argocd-controller", "argocd-application-controller", "flux"])
def test_the_tool_is_named(tool):
    assert judge_one(__file__, world(OLD, _secret(tool))).summary.startswith(tool)


def test_until_api_service_is_restarted_it_is_a_warning():
    times = {"changed_at": ago(600), "api_service_started_at": ago(9000)}
    finding = judge_one(__file__, world(OLD, _secret("flux", **times)))

    assert (finding.breaks, finding.severity) == ("nothing", "warning")
    assert "once api-service is restarted" in finding.summary


def test_only_the_last_writer_counts():
    assert judge_one(__file__, world(OLD, _secret("argocd-controller", "helm"))).status == "pass"


def test_a_token_that_cannot_be_read_proves_nothing():
    hidden = keptn_service(token=TokenState(source="unreadable"))

    assert judge_one(__file__, world(hidden, _secret("flux"))).status == "unknown"
