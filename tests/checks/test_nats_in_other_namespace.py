from check_under_test import judge_one

from keptn_doctor.api import ControlPlane, ExecutionPlane
from keptn_doctor.testing import keptn_service, line, pod_log, world

KEPTN = ControlPlane(name="keptn", namespace="keptn", cluster_uid="1")
SAME = ExecutionPlane(name="exec-a", context="exec-a", cluster_uid="1")
OTHER = ExecutionPlane(name="exec-a", context="exec-a", cluster_uid="2")
SERVICE = keptn_service(endpoint="", mode="nats")
LOST = pod_log(SERVICE, line("not_registered", "dns"))

FAILS = [world(KEPTN, SAME, SERVICE, LOST)]
PASSES = [world(KEPTN, SAME, SERVICE, pod_log(SERVICE))]


def test_both_namespaces_are_named():
    summary = judge_one(__file__, FAILS[0]).summary

    assert "keptn-exec" in summary
    assert "Keptn is in keptn" in summary


def test_in_another_cluster_it_is_another_matter():
    assert judge_one(__file__, world(KEPTN, OTHER, SERVICE, LOST)).status == "skip"
