from check_under_test import judge_one
from exposure_worlds import CONTROL_PLANE, policies_seen, route, routes_seen

from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

SERVICE = keptn_service(endpoint="http://keptn.example.com/api")
STRICT = "PeerAuthentication keptn/default STRICT"
RESET = pod_log(SERVICE, line("not_registered", "tcp_reset"))


def mesh(*texts):
    return policies_seen(mesh=texts, subject=CONTROL_PLANE)


FAILS = [
    world(SERVICE, mesh(STRICT), RESET),
    world(SERVICE, mesh(STRICT), own_request(SERVICE, 503, body="text", origin="other")),
]
PASSES = [
    world(SERVICE, mesh(f"{STRICT} (port 8080 PERMISSIVE)"), RESET),
    world(SERVICE, mesh("PeerAuthentication keptn/default PERMISSIVE"), RESET),
    world(SERVICE, mesh(STRICT), own_request(SERVICE)),
]


def test_through_the_ingress_gateway_it_is_something_else():
    through = world(SERVICE, mesh(STRICT), RESET, routes_seen(route("VirtualService")))

    assert judge_one(__file__, through).status == "unknown"
