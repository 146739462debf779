from check_under_test import judge_one
from exposure_worlds import gateway_seen, provider_seen, route, routes_seen

from keptn_doctor.api import Condition, Pod
from keptn_doctor.testing import world

BLOCKED = Pod(
    namespace="kube-system",
    name="svclb-api-gateway-nginx-x",
    phase="Pending",
    conditions=(
        Condition(
            type="PodScheduled",
            status="False",
            message="1 node(s) didn't have free ports for the requested pod ports",
        ),
    ),
)
BOUND = Pod(namespace="kube-system", name="svclb-api-gateway-nginx-y", phase="Running")
OTHERS = ("kube-system/traefik",)

FAILS = [
    world(provider_seen(svclb_pods=(BLOCKED,), same_port_services=OTHERS), gateway_seen(ip="")),
    world(provider_seen(svclb_pods=(BLOCKED, BOUND))),
]
PASSES = [world(provider_seen(svclb_pods=(BOUND,)), gateway_seen())]


def test_the_service_that_holds_the_port_is_named():
    assert "kube-system/traefik" in judge_one(__file__, FAILS[0]).summary


def test_one_node_with_a_free_port_is_enough():
    assert judge_one(__file__, FAILS[1]).breaks == "nothing"


def test_other_load_balancers_have_no_such_ports():
    finding = judge_one(__file__, world(provider_seen(providers=("metallb",)), gateway_seen(ip="")))

    assert finding.status == "skip"


def test_behind_an_ingress_nobody_needs_the_port():
    routed = world(provider_seen(svclb_pods=(BLOCKED,)), gateway_seen(ip=""), routes_seen(route()))

    assert judge_one(__file__, routed).breaks == "nothing"
