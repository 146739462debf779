from check_under_test import judge_one
from exposure_worlds import answers_seen, route, routes_seen

from keptn_doctor.testing import keptn_service, world

SERVICE = keptn_service()
ASTRAY = route("Route", targets_gateway=False, reason="Service api-gateway-nginx has no port 8443")

FAILS = [
    world(SERVICE, routes_seen(ASTRAY)),
    world(SERVICE, routes_seen(route("Route", admitted=False, reason="HostAlreadyClaimed"))),
]
PASSES = [
    world(SERVICE, routes_seen(route("Route", admitted=True))),
    world(SERVICE, routes_seen(ASTRAY, route())),
    world(SERVICE, routes_seen(ASTRAY), answers_seen(SERVICE)),
]


def test_the_reason_is_told():
    assert "has no port 8443" in judge_one(__file__, FAILS[0]).summary


def test_a_route_for_another_host_does_not_matter():
    other = routes_seen(route(hosts=("bridge.example.com",), targets_gateway=False))

    assert judge_one(__file__, world(SERVICE, other)).status == "skip"
