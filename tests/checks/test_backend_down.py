import pytest
from check_under_test import judge_one

from keptn_doctor.api import GatewayAnswers, HttpAnswer, RouteAnswer
from keptn_doctor.testing import component, control_plane_runs, endpoint, seen, world

FAILS = [
    world(control_plane_runs(component("shipyard-controller", ready=0))),
    world(control_plane_runs(component("shipyard-controller", ready=0, desired=0))),
]
PASSES = [world(control_plane_runs())]


def test_one_that_is_switched_off_is_scaled_up():
    finding = judge_one(__file__, FAILS[1])

    assert "scaled to zero" in finding.summary
    assert finding.command == "kubectl -n keptn scale deployment/shipyard-controller --replicas=1"


def _answers(registration, auth=200):
    def route(name, status):
        answer = HttpAnswer(url="http://keptn.example.com", status=status)
        return RouteAnswer(route=name, with_token=True, answer=answer)

    routes = (route("registration", registration), route("auth", auth))
    place = endpoint("http://keptn.example.com/api", used_by_operator=True)
    return world(place, seen(place, GatewayAnswers(reached="keptn", routes=routes)))


@pytest.mark.parametrize(
    ("registration", "auth", "status"),
    [(502, 200, "fail"), (200, 200, "pass"), (502, 502, "unknown"), (500, 200, "unknown")],
)
def test_without_the_cluster_the_answers_behind_the_gateway_tell(registration, auth, status):
    assert judge_one(__file__, _answers(registration, auth)).status == status
