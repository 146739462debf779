from check_under_test import judge_one

from keptn_doctor.api import Right, RightsReview
from keptn_doctor.testing import seen, world

PODS = Right(verb="list", resource="pods", namespace="keptn", allowed=True)
LOGS = Right(verb="get", resource="pods/log", namespace="keptn", allowed=False)
NODES = Right(verb="list", resource="nodes", allowed=False, optional=True)


def _review(*rights):
    return world(seen("control-plane/keptn", RightsReview(user="ops", rights=rights)))


FAILS = [_review(PODS, LOGS)]
PASSES = [_review(PODS), _review(NODES)]


def test_the_exact_rule_is_named():
    finding = judge_one(__file__, FAILS[0])

    assert "get pods/log in namespace keptn" in finding.summary
    assert "-n keptn create role keptn-doctor" in finding.command
