from check_under_test import judge_one
from exposure_worlds import CONTROL_PLANE, route, routes_seen

from keptn_doctor.api import Components
from keptn_doctor.testing import keptn_service, line, pod_log, seen, world

SERVICE = keptn_service()
TOLD = pod_log(SERVICE, line("send", "send", age=500, text="error with status code 413"))
GATEWAY = seen(CONTROL_PLANE, Components(settings={"api-gateway-nginx/client_max_body_size": "5m"}))

FAILS = [
    world(SERVICE, TOLD, GATEWAY),
    world(SERVICE, TOLD, routes_seen(route())),
]
PASSES = [world(SERVICE, pod_log(SERVICE))]


def test_the_limit_is_told():
    assert "takes 5m" in judge_one(__file__, FAILS[0]).summary


def test_an_ingress_in_front_is_pointed_at():
    assert "proxy-body-size" in judge_one(__file__, FAILS[1]).command
