from check_under_test import judge_one

from keptn_doctor.api import ClusterFacts, ComponentServices, ControlPlane, ServiceState
from keptn_doctor.testing import component, control_plane_runs, line, pod_log, seen, world

CONTROL = ControlPlane(namespace="keptn")
EMERG = pod_log(
    CONTROL,
    line("upstream_unknown", captures={"host": "api-service"}),
    container="nginx",
    previous=True,
)
THERE = seen(
    CONTROL, ComponentServices(namespace="keptn", services=(ServiceState(name="api-service"),))
)
GATEWAY_DOWN = control_plane_runs(component("api-gateway-nginx", ready=0))
NO_DNS = seen(CONTROL, ClusterFacts(dns_pods=2, dns_pods_ready=0))
UP = seen(CONTROL, ClusterFacts(dns_pods=2, dns_pods_ready=1))

FAILS = [
    world(CONTROL, EMERG, THERE, GATEWAY_DOWN),
    world(CONTROL, NO_DNS, control_plane_runs()),
]
PASSES = [
    world(CONTROL, UP, control_plane_runs()),
    world(CONTROL, EMERG, seen(CONTROL, ComponentServices(namespace="keptn")), GATEWAY_DOWN),
]


def test_a_gateway_that_runs_goes_on_with_the_addresses_it_has():
    assert judge_one(__file__, FAILS[1]).breaks == "degraded"


def test_without_a_gateway_nobody_gets_in():
    assert judge_one(__file__, FAILS[0]).breaks == "disconnected"
