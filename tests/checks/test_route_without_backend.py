from check_under_test import judge_one
from exposure_worlds import answers_seen, reply, route, routes_seen

from keptn_doctor.testing import keptn_service, line, pod_log, world

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


GONE = reply(503, body="html")


def test_a_load_balancer_outside_the_cluster_is_known_by_its_error_page():
    told = pod_log(SERVICE, line("not_registered", "backend_down"))
    lonely = answers_seen(SERVICE, reached="other", swagger=GONE, metadata=GONE)

    assert judge_one(__file__, world(SERVICE, routes_seen(), lonely, told)).breaks == "disconnected"
    assert judge_one(__file__, world(SERVICE, routes_seen(), lonely)).suspected


def test_an_error_of_one_route_is_the_backends():
    some = answers_seen(SERVICE, reached="other", swagger=GONE, metadata=reply(401))

    assert judge_one(__file__, world(SERVICE, routes_seen(), some)).status == "skip"


def test_where_the_routes_are_for_another_host_the_host_is_wrong():
    elsewhere = routes_seen(route(hosts=("other.example.com",)))
    lonely = answers_seen(SERVICE, reached="other", swagger=GONE)

    assert judge_one(__file__, world(SERVICE, elsewhere, lonely)).status == "skip"
