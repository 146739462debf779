from check_under_test import judge_one
from exposure_worlds import CONTROL_PLANE, answers_seen, reply

from keptn_doctor.api import ReferenceToken, TokenCheck, TokenState
from keptn_doctor.testing import keptn_service, own_request, seen, world

TOKEN = TokenState(fingerprint="aa")
SERVICE = keptn_service(token=TOKEN)
REFUSED = own_request(SERVICE, 401, body="html", origin="gateway")
REFERENCE = seen(CONTROL_PLANE, ReferenceToken(namespace="keptn", name="x", fingerprint="aa"))
NONE = reply(401, body="json", title="unauthenticated for invalid credentials")
WRONG = reply(401, body="json", title="incorrect api key auth")
ACCEPTED = seen(CONTROL_PLANE, TokenCheck(accepted=True, status=200, fingerprint="aa"))

FAILS = [
    world(SERVICE, REFUSED, answers_seen(SERVICE, auth=NONE)),
    world(SERVICE, REFUSED, REFERENCE, ACCEPTED, answers_seen(SERVICE)),
]
PASSES = [
    world(SERVICE, REFUSED, answers_seen(SERVICE, auth=WRONG)),
    world(SERVICE, own_request(SERVICE), answers_seen(SERVICE, auth=NONE)),
]


def test_a_token_that_was_never_right_is_not_said_to_be_lost():
    other = keptn_service(token=TokenState(fingerprint="bb"))
    finding = judge_one(
        __file__,
        world(
            other, own_request(other, 401, body="html"), REFERENCE, ACCEPTED, answers_seen(other)
        ),
    )

    assert finding.status == "unknown"
