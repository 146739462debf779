from check_under_test import judge_one

from keptn_doctor.api import OAuthSettings
from keptn_doctor.testing import keptn_service, line, pod_log, registered_line, world

OAUTH = OAuthSettings(
    client_id=True, client_secret=True, scopes=("a",), token_url="https://login.example.com/token"
)
SERVICE = keptn_service(oauth=OAUTH)
TOLD = line("not_registered", "oauth", age=60)

FAILS = [
    world(SERVICE, pod_log(SERVICE, TOLD)),
    world(SERVICE, pod_log(SERVICE, line("heartbeat", "oauth"))),
]
PASSES = [
    world(SERVICE, pod_log(SERVICE)),
    world(SERVICE, pod_log(SERVICE, TOLD, registered_line(age=5))),
]


def test_the_provider_is_named():
    assert "https://login.example.com/token" in judge_one(__file__, FAILS[0]).summary


def test_without_oauth_the_question_does_not_arise():
    plain = keptn_service()

    assert judge_one(__file__, world(plain, pod_log(plain, TOLD))).status == "skip"


def test_another_fault_in_oauth_mode_is_not_the_providers():
    other = world(SERVICE, pod_log(SERVICE, line("not_registered", "tcp_timeout")))

    assert judge_one(__file__, other).status == "pass"
