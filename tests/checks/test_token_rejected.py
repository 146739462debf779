from check_under_test import judge_one

from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

SERVICE = keptn_service()
FAILS = [
    world(SERVICE, own_request(SERVICE, 401)),
    world(SERVICE, pod_log(SERVICE, line("heartbeat", "bad_token"))),
]
PASSES = [world(SERVICE, own_request(SERVICE))]


def test_an_accepted_request_beats_an_older_line():
    snapshot = world(
        SERVICE, own_request(SERVICE), pod_log(SERVICE, line("heartbeat", "bad_token", age=20))
    )

    assert judge_one(__file__, snapshot).status == "pass"


def test_a_rate_limit_is_no_refusal():
    assert judge_one(__file__, world(SERVICE, own_request(SERVICE, 429))).status == "unknown"


def test_a_line_of_an_hour_ago_is_over():
    old = pod_log(SERVICE, line("heartbeat", "bad_token", age=3600))

    assert judge_one(__file__, world(SERVICE, old)).status == "unknown"
