from check_under_test import judge_one
from exposure_worlds import answers_seen, reply

from keptn_doctor.testing import integration, keptn_service, line, pod_log, uniform, world

SERVICE = keptn_service(endpoint="http://keptn.example.com/api")
TOLD = pod_log(SERVICE, line("not_registered", "redirect"))


def moved(status, host="keptn.example.com"):
    hop = f"{status} http://keptn.example.com/api/x -> https://{host}/api/x"
    return answers_seen(SERVICE, swagger=reply(redirects=(hop,)))


FAILS = [
    world(SERVICE, TOLD),
    world(SERVICE, moved(301), uniform()),
    world(SERVICE, moved(302), uniform(integration(9000))),
]
PASSES = [
    world(SERVICE, moved(308), uniform()),
    world(SERVICE, moved(301), uniform(integration())),
    world(SERVICE, moved(302, "login.example.com"), uniform()),
]


def test_the_https_url_is_offered():
    assert "https://keptn.example.com/api" in judge_one(__file__, FAILS[0]).command
