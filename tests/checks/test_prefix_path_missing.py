from check_under_test import judge_one
from exposure_worlds import CONTROL_PLANE

from keptn_doctor.api import Components
from keptn_doctor.testing import keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
MISSED = own_request(SERVICE, 404, body="html", origin="gateway")


def installed(prefix, **found):
    settings = {"api-gateway-nginx/prefix": prefix} if prefix else {}
    return seen(CONTROL_PLANE, Components(settings=settings, **found))


FAILS = [
    world(SERVICE, installed("/keptn"), MISSED),
    world(SERVICE, installed("/keptn"), pod_log(SERVICE, line("heartbeat", "wrong_path"))),
]
PASSES = [
    world(SERVICE, installed(""), MISSED),
    world(
        keptn_service(endpoint="https://keptn.example.com/keptn/api"), installed("/keptn"), MISSED
    ),
    world(SERVICE, installed("/keptn"), own_request(SERVICE)),
]


def test_the_right_endpoint_is_offered():
    assert "https://keptn.example.com/keptn/api" in judge_one(__file__, FAILS[0]).command
