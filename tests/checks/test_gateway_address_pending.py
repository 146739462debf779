from check_under_test import judge_one

from keptn_doctor.api import (
    ControlPlane,
    ExposureRoute,
    ExposureRoutes,
    GatewayService,
    KubeEvent,
    LoadBalancerIngress,
    LoadBalancerProvider,
    ServicePort,
)
from keptn_doctor.testing import ago, keptn_service, seen, world

HOME = ControlPlane(namespace="keptn")
SERVICE = keptn_service()


def _gateway(**fields):
    usual = {"namespace": "keptn", "type": "LoadBalancer", "created_at": ago(5400)}
    return seen(HOME, GatewayService(**{**usual, **fields}))


ROUTE = ExposureRoute(route_kind="Ingress", namespace="keptn", name="i")
FAILS = [world(HOME, SERVICE, _gateway())]
PASSES = [
    world(HOME, _gateway(load_balancer=(LoadBalancerIngress(hostname="x.elb.amazonaws.com"),))),
    world(HOME, _gateway(), seen(HOME, ExposureRoutes(routes=(ROUTE,)))),
    world(
        HOME, keptn_service(endpoint="http://192.0.2.7:31090/api"),
        _gateway(ports=(ServicePort(port=80, node_port=31090),)),
    ),
]  # fmt: skip


def test_how_long_it_has_waited_and_why_is_told():
    event = KubeEvent(
        object_kind="Service", object_name="api-gateway-nginx", type="Warning",
        reason="AllocationFailed", message="no available IPs",
    )  # fmt: skip
    finding = judge_one(__file__, world(HOME, SERVICE, _gateway(events=(event,))))

    assert "90 min" in finding.summary
    assert "no available IPs" in finding.summary


def test_that_nothing_hands_out_addresses_is_told():
    none = seen(HOME, LoadBalancerProvider())

    assert "nothing in the cluster" in judge_one(__file__, world(HOME, _gateway(), none)).summary


def test_a_service_that_was_just_made_may_wait():
    assert judge_one(__file__, world(HOME, _gateway(created_at=ago(30)))).status == "unknown"
