import pytest
from check_under_test import judge_one

from keptn_doctor.api import ClusterFacts, ExecutionPlane, Failure
from keptn_doctor.testing import seen, world

PLANE = ExecutionPlane(name="exec-a", context="exec-a")


def _failure(code, phase="auth"):
    return world(PLANE, seen(PLANE, Failure(phase=phase, code=code), probe="cluster"))


FAILS = [_failure("unauthorized"), _failure("credentials-expired")]
PASSES = [world(PLANE, seen(PLANE, ClusterFacts(version="1.24")))]


@pytest.mark.parametrize(
    "code", ["credential-plugin-failed", "credential-plugin-missing", "credentials-unreadable"]
)
def test_a_program_that_fetches_none_counts_too(code):
    assert judge_one(__file__, _failure(code)).status == "fail"


@pytest.mark.parametrize(("code", "phase"), [("forbidden", "auth"), ("connect-timeout", "connect")])
def test_missing_rights_and_a_dead_network_are_other_matters(code, phase):
    assert judge_one(__file__, _failure(code, phase)).status == "skip"
