from check_under_test import CATALOGUE, judge_one

from keptn_doctor.api import ClusterFacts, ControlPlane, ExecutionPlane, NamespaceFacts
from keptn_doctor.testing import keptn_service, run_check, seen, world

KEPTN = ControlPlane(context="keptn-cp", namespace="keptn", cluster_uid="1")
PLANE = ExecutionPlane(name="exec-a", context="exec-a")
SAME, OTHER = (seen(PLANE, ClusterFacts(uid=uid)) for uid in ("1", "2"))
MISSING = seen(PLANE, NamespaceFacts(namespace="keptn-exec", exists=False))

FAILS = [world(KEPTN, PLANE, SAME, MISSING), world(KEPTN, PLANE, SAME)]
PASSES = [world(KEPTN, PLANE, OTHER), world(KEPTN, PLANE, SAME, keptn_service())]


def test_the_namespace_that_is_not_there_is_named():
    assert "keptn-exec does not exist there" in judge_one(__file__, FAILS[0]).summary


def test_services_beside_the_control_plane_make_it_meant():
    assert judge_one(__file__, PASSES[1]).status == "pass"


def test_one_context_for_both_is_no_mistake():
    one = ExecutionPlane(name="exec-a", context="keptn-cp")
    snapshot = world(KEPTN, one, seen(one, ClusterFacts(uid="1")))

    assert judge_one(__file__, snapshot).status == "pass"


def test_services_told_under_another_context_of_the_cluster_make_it_meant():
    first = ExecutionPlane(name="exec-a", context="exec-a", cluster_uid="1")
    second = ExecutionPlane(name="exec-b", context="exec-b", cluster_uid="1", all_namespaces=True)
    snapshot = world(KEPTN, first, second, keptn_service(), seen(second, ClusterFacts(uid="1")))

    found = run_check(CATALOGUE.get("same-cluster-twice"), snapshot)
    assert {finding.status for finding in found if finding.subject == "exec-b"} == {"pass"}
