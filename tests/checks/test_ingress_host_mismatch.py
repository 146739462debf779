from check_under_test import judge_one
from exposure_worlds import route, routes_seen

from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

SERVICE = keptn_service(endpoint="https://keptn-old.example.com/api")
DEFAULT_BACKEND = own_request(SERVICE, 404, body="text", origin="other")
HTML = pod_log(SERVICE, line("not_registered", "html_answer"))

FAILS = [
    world(SERVICE, routes_seen(route()), DEFAULT_BACKEND),
    world(SERVICE, routes_seen(route("Route", tls_termination="edge")), HTML),
]
PASSES = [
    world(SERVICE, routes_seen(route(hosts=("keptn-old.example.com",))), DEFAULT_BACKEND),
    world(SERVICE, routes_seen(route(hosts=("*.example.com",))), DEFAULT_BACKEND),
    world(SERVICE, routes_seen(route(hosts=())), DEFAULT_BACKEND),
    world(SERVICE, routes_seen(route()), own_request(SERVICE)),
]


def test_the_right_host_is_offered_with_its_scheme():
    assert "https://keptn.example.com/api" in judge_one(__file__, FAILS[1]).command


def test_without_an_answer_the_rules_alone_prove_nothing():
    assert judge_one(__file__, world(SERVICE, routes_seen(route()))).status == "unknown"


def test_a_route_that_leads_elsewhere_has_no_say():
    astray = routes_seen(route(targets_gateway=False))

    assert judge_one(__file__, world(SERVICE, astray, DEFAULT_BACKEND)).status == "skip"
