from check_under_test import judge_one

from keptn_doctor.api import ExecutionPlane, Right, RightsReview
from keptn_doctor.testing import seen, world

PLANE = ExecutionPlane(name="exec-a", context="exec-a", namespaces=("keptn-exec",))
LOGS = Right(verb="get", resource="pods/log", namespace="keptn-exec", allowed=False)
NODES = Right(verb="list", resource="nodes", allowed=False, optional=True)
PODS = Right(verb="list", resource="pods", namespace="keptn-exec", allowed=True)
ALL = Right(verb="list", resource="pods", allowed=False)


def _review(*rights):
    return world(PLANE, seen(PLANE, RightsReview(user="ops", rights=rights)))


FAILS = [_review(PODS, LOGS), _review(ALL)]
PASSES = [_review(PODS), _review(PODS, NODES)]


def test_the_exact_rule_is_named():
    finding = judge_one(__file__, FAILS[0])

    assert "get pods/log in namespace keptn-exec" in finding.summary
    assert "-n keptn-exec create role keptn-doctor --verb=get" in finding.command
    assert finding.breaks == "nothing"


def test_a_rule_beyond_namespaces_takes_a_cluster_role():
    assert "create clusterrole" in judge_one(__file__, FAILS[1]).command


def test_what_only_advice_needs_is_not_missed():
    assert judge_one(__file__, PASSES[1]).status == "pass"
