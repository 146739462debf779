from check_under_test import judge_one

from keptn_doctor.api import ClusterFacts, Failure
from keptn_doctor.testing import seen, world

KEPTN = "control-plane/keptn"


def _failure(code):
    return world(seen(KEPTN, Failure(phase="auth", code=code), probe="cluster"))


FAILS = [_failure("unauthorized"), _failure("credential-plugin-timeout")]
PASSES = [world(seen(KEPTN, ClusterFacts(version="1.24")))]


def test_403_is_another_matter():
    assert judge_one(__file__, _failure("forbidden")).status == "skip"
