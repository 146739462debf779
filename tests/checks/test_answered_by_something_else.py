from check_under_test import judge_one

from keptn_doctor.api import GatewayAnswers
from keptn_doctor.testing import keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
ENDPOINT = f"endpoint:{SERVICE.endpoint}"
LOGIN = own_request(SERVICE, 200, body="html", origin="other", title="Sign in")
FAILS = [
    world(SERVICE, LOGIN),
    world(SERVICE, own_request(SERVICE, 403, body="html", origin="other")),
    world(SERVICE, pod_log(SERVICE, line("heartbeat", "forbidden"))),
    world(SERVICE, seen(ENDPOINT, GatewayAnswers(reached="other"))),
]
PASSES = [
    world(SERVICE, own_request(SERVICE)),
    world(SERVICE, own_request(SERVICE, 401)),
    world(SERVICE, own_request(SERVICE, 502, body="html", origin="gateway")),
]


def test_the_page_is_named():
    assert "200 “Sign in”" in judge_one(__file__, FAILS[0]).summary


def test_what_the_operator_meets_is_a_suspicion():
    assert judge_one(__file__, FAILS[3]).suspected


def test_a_refused_token_told_as_html_is_not_taken_for_a_stranger():
    lines = (line("poll", "html_answer"), line("heartbeat", "bad_token"))

    assert judge_one(__file__, world(SERVICE, pod_log(SERVICE, *lines))).status == "unknown"


def test_what_answers_is_one_thing_for_all_where_this_machine_meets_it_too():
    elsewhere = seen(ENDPOINT, GatewayAnswers(reached="other"))

    assert judge_one(__file__, world(SERVICE, LOGIN, elsewhere)).at_fault
    assert judge_one(__file__, world(SERVICE, LOGIN)).at_fault == ()
