import pytest
from check_under_test import judge_one

from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

BARE = keptn_service(endpoint="https://keptn.example.com")
DOUBLE = keptn_service(endpoint="https://keptn.example.com/api/api")
USUAL = keptn_service()
FAILS = [
    world(BARE, own_request(BARE, 404, body="html")),
    world(DOUBLE, own_request(DOUBLE, 404)),
    world(USUAL, own_request(USUAL, 405, body="html")),
    world(USUAL, pod_log(USUAL, line("not_registered", "wrong_path"))),
]
PASSES = [
    world(USUAL, own_request(USUAL)),
    world(USUAL, own_request(USUAL, 401)),
    world(USUAL, own_request(USUAL, 404, body="text", poll=200)),
]


@pytest.mark.parametrize(
    ("number", "url"),
    [(0, "https://keptn.example.com/api"), (1, "https://keptn.example.com/api"),
     (2, "'https://keptn.example.com/<prefix>/api'")],
)  # fmt: skip
def test_the_command_holds_the_endpoint_that_would_be_right(number, url):
    assert judge_one(__file__, FAILS[number]).command.endswith(f"KEPTN_API_ENDPOINT={url}")


def test_a_path_of_the_proxy_that_the_service_asked_for_is_not_the_endpoints():
    asked = line("wrong_path", signature="dist.proxy.path", strength="supporting")

    assert judge_one(__file__, world(USUAL, pod_log(USUAL, asked))).status == "unknown"
