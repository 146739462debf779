from check_under_test import judge_one
from exposure_worlds import answers_seen, reply, route, routes_seen

from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

SERVICE = keptn_service()
AWAY = reply(
    404,
    body="empty",
    redirects=("302 https://keptn.example.com/api/x -> https://login.example.com/auth?…",),
)
SIGN_IN = reply(200, body="html", title="Sign in")
HTML = pod_log(SERVICE, line("not_registered", "html_answer"))
NOTES = {"nginx.ingress.kubernetes.io/auth-signin": "https://login.example.com"}

FAILS = [
    world(SERVICE, answers_seen(SERVICE, reached="other", swagger=AWAY), HTML),
    world(SERVICE, answers_seen(SERVICE, reached="other", swagger=SIGN_IN), HTML),
    world(SERVICE, own_request(SERVICE, 200, body="html", title="Log in", origin="other")),
    world(SERVICE, routes_seen(route(annotations=NOTES)), HTML),
    world(SERVICE, answers_seen(SERVICE, reached="other", swagger=SIGN_IN)),
]
PASSES = [
    world(SERVICE, own_request(SERVICE), answers_seen(SERVICE, swagger=SIGN_IN)),
    world(SERVICE, answers_seen(SERVICE)),
]


def test_this_machines_view_alone_is_a_suspicion():
    assert judge_one(__file__, FAILS[4]).suspected


def test_a_redirect_to_the_same_host_is_no_login():
    hop = "308 http://keptn.example.com/api/x -> https://keptn.example.com/api/x"
    finding = judge_one(
        __file__,
        world(SERVICE, answers_seen(SERVICE, reached="other", swagger=reply(redirects=(hop,)))),
    )

    assert finding.status == "unknown"


def test_a_redirect_to_https_of_a_host_that_sounds_like_a_login_is_none():
    service = keptn_service(endpoint="http://keptn-sso.example.com/keptn/api")
    hop = (
        "308 http://keptn-sso.example.com/keptn/api/x -> https://keptn-sso.example.com/keptn/api/x"
    )
    page = reply(redirects=(hop,))

    finding = judge_one(__file__, world(service, answers_seen(service, swagger=page)))

    assert finding.status == "pass"
