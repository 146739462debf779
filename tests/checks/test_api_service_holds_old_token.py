from check_under_test import judge_one

from keptn_doctor.api import ReferenceToken, TokenCheck, TokenState
from keptn_doctor.testing import ago, keptn_service, line, own_request, pod_log, seen, world

NEW = keptn_service(token=TokenState(source="value", fingerprint="a", stripped_fingerprint="a"))
OLD = keptn_service(token=TokenState(source="value", fingerprint="b", stripped_fingerprint="b"))


def _secret(**fields):
    fact = ReferenceToken(namespace="keptn", name="keptn-api-token", fingerprint="a", **fields)
    return seen("control-plane/keptn", fact)


YOUNGER = _secret(changed_at=ago(2400), api_service_started_at=ago(90_000))
REFUSED = seen("control-plane/keptn", TokenCheck(accepted=False, status=401, fingerprint="a"))

FAILS = [
    world(NEW, YOUNGER, own_request(NEW, 401)),
    world(NEW, _secret(), REFUSED, pod_log(NEW, line("not_registered", "bad_token"))),
]
PASSES = [
    world(OLD, YOUNGER, own_request(OLD)),
    world(NEW, YOUNGER, own_request(NEW)),
    world(NEW, _secret(), own_request(NEW, 401)),
]


def test_the_command_restarts_api_service():
    assert "rollout restart deployment/api-service" in judge_one(__file__, FAILS[0]).command


def test_a_masked_refusal_of_the_operator_proves_nothing():
    masked = TokenCheck(accepted=False, status=429, fingerprint="a", masked_by="rate-limit")
    snapshot = world(NEW, _secret(), seen("control-plane/keptn", masked), own_request(NEW, 401))

    assert judge_one(__file__, snapshot).status == "pass"


def test_the_operators_own_word_beats_the_times():
    accepted = TokenCheck(accepted=True, status=200, fingerprint="a")
    snapshot = world(NEW, YOUNGER, seen("control-plane/keptn", accepted), own_request(NEW, 401))

    assert judge_one(__file__, snapshot).status == "pass"
