import pytest
from check_under_test import judge_one

from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

SERVICE = keptn_service()
WORKS = own_request(SERVICE)


def _told(event, cause, text=""):
    return world(SERVICE, WORKS, pod_log(SERVICE, line(event, cause, text=text, age=60.0)))


FAILS = [
    _told("send", "forbidden", "Failed to forward CloudEvent: error with status code 403"),
    _told("send", "wrong_path", "Failed to forward CloudEvent: error with status code 404"),
]
PASSES = [
    world(SERVICE, WORKS, pod_log(SERVICE)),
    _told("heartbeat", "forbidden"),
    _told("send", "html_answer", "413 Request Entity Too Large"),
    _told("send", "tcp_reset"),
]


@pytest.mark.parametrize("number", [0, 1])
def test_it_degrades_and_names_the_path(number):
    finding = judge_one(__file__, FAILS[number])

    assert finding.breaks == "degraded"
    assert "/api/v1/event" in finding.remedy
