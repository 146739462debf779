from check_under_test import judge_one

from keptn_doctor.api import ControlPlane, Failure, GatewayService
from keptn_doctor.testing import seen, world

MOVED = ControlPlane(elsewhere=("keptn-prod",))
KEPTN = ControlPlane(namespace="keptn")
NONE = seen(KEPTN, Failure(phase="kube", code="not-found"), probe="gateway-service")

FAILS = [world(MOVED, NONE)]
PASSES = [world(MOVED, seen(MOVED, GatewayService(namespace="keptn")))]


def test_the_other_namespace_is_offered():
    assert judge_one(__file__, FAILS[0]).command.endswith("--control-plane-namespace keptn-prod")


def test_without_another_one_nothing_is_said():
    assert judge_one(__file__, world(KEPTN, NONE)).status == "skip"
