from check_under_test import judge_one
from exposure_worlds import answers_seen, route, routes_seen

from keptn_doctor.testing import keptn_service, world

SERVICE = keptn_service()
LOST = route(addresses=(), class_exists=False, ingress_class="traefik-internal")

FAILS = [world(SERVICE, routes_seen(LOST))]
PASSES = [
    world(SERVICE, routes_seen(route(class_exists=True))),
    world(SERVICE, routes_seen(route(addresses=(), class_exists=None))),
    world(SERVICE, routes_seen(LOST, route(name="second"))),
    world(SERVICE, routes_seen(LOST), answers_seen(SERVICE)),
]


def test_the_class_is_named():
    assert "class traefik-internal" in judge_one(__file__, FAILS[0]).summary


def test_an_ingress_for_another_host_does_not_matter():
    other = world(SERVICE, routes_seen(route(hosts=("bridge.example.com",), addresses=())))

    assert judge_one(__file__, other).status == "skip"
