from check_under_test import judge_one

from keptn_doctor.api import ClusterFacts, ControlPlane, Failure, GatewayService
from keptn_doctor.testing import control_plane_runs, seen, world

KEPTN = ControlPlane(context="keptn-cp")
NONE = seen(KEPTN, Failure(phase="kube", code="not-found"), probe="gateway-service")
CLUSTER = seen(KEPTN, ClusterFacts(version="1.24"))

FAILS = [world(KEPTN, NONE, CLUSTER)]
PASSES = [
    world(KEPTN, seen(KEPTN, GatewayService(namespace="keptn")), CLUSTER),
    world(KEPTN, NONE, CLUSTER, control_plane_runs()),
]


def test_a_gateway_in_another_namespace_is_left_to_its_own_check():
    elsewhere = ControlPlane(context="keptn-cp", elsewhere=("keptn-prod",))

    assert judge_one(__file__, world(elsewhere, NONE, CLUSTER)).status == "skip"


def test_a_refused_look_is_no_absence():
    refused = seen(KEPTN, Failure(phase="auth", code="forbidden"), probe="gateway-service")

    assert judge_one(__file__, world(KEPTN, refused, CLUSTER)).status == "skip"
