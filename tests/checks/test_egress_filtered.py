from check_under_test import judge_one
from exposure_worlds import answers_seen, connects, dns, reply

from keptn_doctor.api import Failure, PodProbe
from keptn_doctor.testing import keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
TALKS = answers_seen(SERVICE, swagger=reply())
SILENT = pod_log(SERVICE, line("heartbeat", "tcp_timeout"))
REFUSED = seen(
    f"endpoint:{SERVICE.endpoint}", Failure(phase="connect", code="connection-refused"), probe="tcp"
)

PROBED = seen(SERVICE, PodProbe(connect="connect-timeout"), pod="x")

FAILS = [
    world(SERVICE, SILENT, connects(SERVICE), dns(SERVICE), TALKS),
    world(
        SERVICE,
        seen(SERVICE, PodProbe(connect="connect-timeout"), pod="x"),
        connects(SERVICE),
        TALKS,
    ),
    world(SERVICE, SILENT, REFUSED),
]
PASSES = [world(SERVICE, own_request(SERVICE), connects(SERVICE))]


def test_when_nobody_gets_through_the_way_out_is_not_to_blame():
    nobody = seen(
        f"endpoint:{SERVICE.endpoint}",
        Failure(phase="connect", code="connect-timeout"),
        probe="tcp",
    )

    assert judge_one(__file__, world(SERVICE, SILENT, nobody)).status == "unknown"


def test_another_address_than_this_machines_is_another_matter():
    log = pod_log(SERVICE, line("heartbeat", "tcp_timeout", captures={"dialled": "203.0.113.7"}))

    finding = judge_one(__file__, world(SERVICE, log, connects(SERVICE), dns(SERVICE), TALKS))

    assert finding.status == "skip"


def test_what_accepts_and_stays_silent_filters_nobody():
    mute = world(SERVICE, SILENT, connects(SERVICE), answers_seen(SERVICE, reached="nobody"))

    assert judge_one(__file__, mute).status == "unknown"
