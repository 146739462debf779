from check_under_test import judge_one

from keptn_doctor.api import ComponentServices, ControlPlane, ServiceState
from keptn_doctor.testing import component, control_plane_runs, line, pod_log, seen, world

CONTROL = ControlPlane(namespace="keptn")
EMERG = pod_log(
    CONTROL, line("upstream_unknown", captures={"host": "statistics-service"}), previous=True
)
GATEWAY_DOWN = control_plane_runs(component("api-gateway-nginx", ready=0))


def services(*names):
    states = tuple(ServiceState(name=name) for name in names)
    return seen(CONTROL, ComponentServices(namespace="keptn", services=states))


FAILS = [world(CONTROL, EMERG, services("api-service"), GATEWAY_DOWN)]
PASSES = [world(CONTROL, EMERG, services("api-service"), control_plane_runs())]


def test_the_component_is_named_with_its_switch():
    finding = judge_one(__file__, FAILS[0])

    assert "statistics-service" in finding.summary
    assert "statisticsService.enabled" in finding.remedy


def test_a_service_that_exists_is_not_missing():
    there = world(CONTROL, EMERG, services("statistics-service"), GATEWAY_DOWN)

    assert judge_one(__file__, there).status == "unknown"
