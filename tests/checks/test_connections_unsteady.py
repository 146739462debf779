import pytest
from check_under_test import judge_one

from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

SERVICE = keptn_service()
WORKS = own_request(SERVICE)


def _told(cause="tcp_reset", **fields):
    return pod_log(SERVICE, line("heartbeat", cause, **{"count": 40, "age": 5.0, **fields}))


FAILS = [
    world(SERVICE, WORKS, _told()),
    world(SERVICE, WORKS, _told("dns")),
]
PASSES = [
    world(SERVICE, WORKS),
    world(SERVICE, WORKS, _told(count=1)),
    world(SERVICE, WORKS, _told(age=90.0)),
    world(SERVICE, WORKS, _told("bad_token")),
]


def test_it_degrades_and_names_where():
    finding = judge_one(__file__, FAILS[0])

    assert finding.breaks == "degraded"
    assert "keptn.example.com:443" in finding.summary


@pytest.mark.parametrize("seen", [(), (own_request(SERVICE, 500, body="empty"),)])
def test_where_nothing_is_seen_to_work_it_is_not_judged(seen):
    assert judge_one(__file__, world(SERVICE, _told(), *seen)).status == "unknown"
