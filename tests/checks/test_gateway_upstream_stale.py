from check_under_test import judge_one

from keptn_doctor.api import ComponentServices, ControlPlane, GatewayLog, ServiceState
from keptn_doctor.testing import ago, seen, world

CONTROL = ControlPlane(namespace="keptn")
SERVICES = seen(
    CONTROL,
    ComponentServices(
        namespace="keptn",
        services=(
            ServiceState(name="shipyard-controller", cluster_ip="10.96.1.1", created_at=ago(60)),
            ServiceState(name="api-service", cluster_ip="10.96.1.2", created_at=ago(9000)),
        ),
    ),
)


def log(*errors):
    return seen(CONTROL, GatewayLog(window_s=900, lines=10, upstream_errors=errors))


FAILS = [
    world(CONTROL, SERVICES, log("connect() failed: http://10.72.5.141:8080/v1/auth (3 times)")),
    world(CONTROL, SERVICES, log("upstream timed out: http://10.72.5.141:8080/v1/event")),
]
PASSES = [
    world(CONTROL, SERVICES, log()),
    world(CONTROL, SERVICES, log("connect() failed: http://10.96.1.2:8080/v1/auth")),
]


def test_the_service_that_was_made_last_is_pointed_at():
    assert "shipyard-controller" in judge_one(__file__, FAILS[0]).summary
