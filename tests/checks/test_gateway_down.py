from check_under_test import judge_one

from keptn_doctor.api import GatewayService
from keptn_doctor.testing import component, container, control_plane_runs, pod_of, seen, world

CRASHED = pod_of(
    "keptn", container("nginx", "waiting", reason="CrashLoopBackOff", last_exit_code=1), name="gw"
)
FAILS = [
    world(control_plane_runs(component("api-gateway-nginx", CRASHED, ready=0))),
    world(seen("control-plane/keptn", GatewayService(namespace="keptn", ready_endpoints=0))),
]
PASSES = [
    world(control_plane_runs()),
    world(seen("control-plane/keptn", GatewayService(namespace="keptn", ready_endpoints=1))),
]


def test_why_its_pod_is_not_ready_is_told():
    assert "CrashLoopBackOff, exit code 1" in judge_one(__file__, FAILS[0]).summary


def test_endpoints_that_could_not_be_read_prove_nothing():
    hidden = seen("control-plane/keptn", GatewayService(namespace="keptn"))

    assert judge_one(__file__, world(hidden)).status == "unknown"
