from check_under_test import judge_one

from keptn_doctor.api import ReferenceToken, TokenCheck
from keptn_doctor.testing import seen, world

KEPTN = "control-plane/keptn"
REFUSED = seen(KEPTN, TokenCheck(accepted=False, status=401, fingerprint="b"))
OWN = seen(
    KEPTN,
    ReferenceToken(namespace="keptn", name="my-token", fingerprint="a", standard_name=False),
)

FAILS = [world(REFUSED), world(REFUSED, OWN)]
PASSES = [world(seen(KEPTN, TokenCheck(accepted=True, status=200)))]


def test_the_secret_that_counts_is_named():
    finding = judge_one(__file__, FAILS[1])

    assert "api-service reads Secret keptn/my-token" in finding.summary
    assert "get secret my-token" in finding.command


def test_a_hidden_answer_is_no_refusal():
    hidden = TokenCheck(accepted=False, status=429, masked_by="rate-limit")

    assert judge_one(__file__, world(seen(KEPTN, hidden))).status == "unknown"
