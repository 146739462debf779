from check_under_test import judge_one

from keptn_doctor.api import (
    ControlPlane,
    ExecutionPlane,
    ExposureRoute,
    ExposureRoutes,
    GatewayAnswers,
    GatewayService,
    HttpAnswer,
    RouteAnswer,
)
from keptn_doctor.testing import keptn_service, seen, world

HOME = ControlPlane(namespace="keptn", cluster_uid="c", context="cp")
SERVICE = keptn_service(endpoint="http://api-gateway-nginx.keptn/api")
INSIDE = seen(HOME, GatewayService(namespace="keptn"))
INGRESS = ExposureRoute(route_kind="Ingress", namespace="keptn", name="api-keptn-ingress")
ASTRAY = ExposureRoute(route_kind="Ingress", namespace="keptn", name="x", targets_gateway=False)


def _routes(*routes, **fields):
    return seen(HOME, ExposureRoutes(routes=routes, **fields))


def _answered(url):
    answer = HttpAnswer(url=url, status=200, body="json")
    route = RouteAnswer(route="metadata", with_token=True, answer=answer)
    return seen(f"endpoint:{SERVICE.endpoint}", GatewayAnswers(reached="keptn", routes=(route,)))


FAILS = [world(HOME, SERVICE, INSIDE, _routes()), world(HOME, SERVICE, INSIDE, _routes(ASTRAY))]
PASSES = [
    world(HOME, SERVICE, seen(HOME, GatewayService(namespace="keptn", type="NodePort"))),
    world(HOME, SERVICE, INSIDE, _routes(INGRESS)),
    world(HOME, SERVICE, INSIDE, _routes(), _answered("https://vpn.example.com/api/v1/metadata")),
]


def test_the_names_that_the_services_call_are_told():
    assert "api-gateway-nginx.keptn" in judge_one(__file__, FAILS[0]).summary


def test_planes_in_the_same_cluster_need_no_exposure():
    same = ExecutionPlane(name="exec-a", cluster_uid="c")

    assert judge_one(__file__, world(HOME, SERVICE, same, INSIDE, _routes())).status == "skip"


def test_when_not_every_kind_of_route_could_be_read_it_is_a_suspicion():
    routes = _routes(unreadable=("Route: forbidden",))

    assert judge_one(__file__, world(HOME, SERVICE, INSIDE, routes)).suspected


def test_the_operators_own_port_forward_exposes_nothing():
    forwarded = _answered("http://localhost:8080/api/v1/metadata")

    assert judge_one(__file__, world(HOME, SERVICE, INSIDE, _routes(), forwarded)).status == "fail"
