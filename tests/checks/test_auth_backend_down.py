from check_under_test import judge_one

from keptn_doctor.api import ControlPlane, GatewayAnswers, HttpAnswer, RouteAnswer
from keptn_doctor.testing import component, control_plane_runs, endpoint, seen, world

USED = endpoint("http://192.0.2.10/api", used_by_operator=True)
HOME = ControlPlane(namespace="keptn")


def _answers(**statuses):
    routes = tuple(
        RouteAnswer(
            route=route, with_token=True,
            answer=HttpAnswer(url="http://192.0.2.10/api", status=status, body="html"),
        )
        for route, status in statuses.items()
    )  # fmt: skip
    return seen(USED, GatewayAnswers(reached="keptn", routes=routes))


FAILS = [
    world(control_plane_runs(component("api-service", ready=0))),
    world(HOME, USED, _answers(metadata=502, auth=502, registration=429)),
    world(HOME, USED, _answers(metadata=504, auth=504, registration=500)),
]
PASSES = [
    world(control_plane_runs()),
    world(HOME, USED, _answers(metadata=200, auth=200, registration=200)),
]


def test_a_rate_limit_is_not_taken_for_a_dead_api_service():
    limited = world(HOME, USED, _answers(metadata=200, auth=429, registration=429))

    assert judge_one(__file__, limited).status == "pass"


def test_a_dead_backend_behind_a_living_api_service_is_another_fault():
    behind = world(HOME, USED, _answers(metadata=200, auth=200, registration=502))

    assert judge_one(__file__, behind).status == "pass"
