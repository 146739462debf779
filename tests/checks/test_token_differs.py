from check_under_test import judge_one

from keptn_doctor.api import ReferenceToken, TokenCheck, TokenState
from keptn_doctor.testing import ago, keptn_service, own_request, seen, world

OTHER = keptn_service(token=TokenState(source="value", fingerprint="b", stripped_fingerprint="b"))
SAME = keptn_service(token=TokenState(source="value", fingerprint="a", stripped_fingerprint="a"))
BLANKS = keptn_service(token=TokenState(source="value", fingerprint="c", stripped_fingerprint="a"))
ENCODED = keptn_service(token=TokenState(source="value", fingerprint="d", decoded_fingerprint="a"))


def _reference(**fields):
    fact = ReferenceToken(namespace="keptn", name="keptn-api-token", fingerprint="a", **fields)
    return seen("control-plane/keptn", fact)


FAILS = [world(OTHER, _reference())]
PASSES = [
    world(SAME, _reference()),
    world(BLANKS, _reference()),
    world(OTHER, _reference(), own_request(OTHER)),
]


def test_the_command_takes_the_token_from_where_it_is_right_and_shows_none():
    command = judge_one(__file__, FAILS[0]).command

    assert "get secret keptn-api-token" in command
    assert "set env deployment/helm-service" in command


def test_a_secret_whose_own_token_is_refused_is_no_reference():
    refused = TokenCheck(accepted=False, status=401, fingerprint="a")
    snapshot = world(OTHER, _reference(), seen("control-plane/keptn", refused))

    assert judge_one(__file__, snapshot).status == "unknown"


def test_a_secret_changed_after_api_service_started_is_not_in_force():
    changed = _reference(changed_at=ago(60), api_service_started_at=ago(9000))

    assert judge_one(__file__, world(OTHER, changed)).status == "unknown"


def test_a_masked_refusal_says_nothing_of_the_secret():
    masked = TokenCheck(accepted=False, status=429, fingerprint="a", masked_by="rate-limit")
    snapshot = world(OTHER, _reference(), seen("control-plane/keptn", masked))

    assert judge_one(__file__, snapshot).status == "fail"


def test_an_encoded_token_is_left_to_its_own_check():
    assert judge_one(__file__, world(ENCODED, _reference())).status == "skip"
