import pytest
from check_under_test import judge_one

from keptn_doctor.api import ClusterFacts, ControlPlane, Failure
from keptn_doctor.testing import seen, world

PLANE = ControlPlane(name="keptn-cp", context="keptn-cp")


def _failure(phase, code, detail=""):
    fact = Failure(phase=phase, code=code, detail=detail)
    return world(PLANE, seen(PLANE, fact, probe="cluster"))


FAILS = [
    _failure("resolve", "name-unknown", "no such host"),
    _failure("connect", "connection-refused"),
    _failure("connect", "connect-timeout"),
    _failure("tls", "certificate-untrusted"),
    _failure("deadline", "deadline-exceeded"),
]
PASSES = [world(PLANE, seen(PLANE, ClusterFacts(version="1.24")))]


def test_it_names_the_context_and_why():
    summary = judge_one(__file__, FAILS[0]).summary

    assert "keptn-cp" in summary
    assert "no such host" in summary


def test_it_breaks_nothing_by_itself():
    assert {judge_one(__file__, world).breaks for world in FAILS} == {"nothing"}


@pytest.mark.parametrize(("phase", "code"), [("auth", "forbidden"), ("auth", "unauthorized")])
def test_a_cluster_that_answers_is_reached(phase, code):
    assert judge_one(__file__, _failure(phase, code)).status == "skip"
