from check_under_test import judge_one
from exposure_worlds import answers_seen

from keptn_doctor.testing import (
    REGISTRATION_ID,
    integration,
    keptn_service,
    line,
    own_request,
    pod_log,
    registered_line,
    uniform,
    world,
)

SERVICE = keptn_service()
REFUSED = line("heartbeat", "forbidden", text="heart beat: error with status code 403")

FAILS = [
    world(SERVICE, pod_log(SERVICE, REFUSED, ids=(REGISTRATION_ID,))),
    world(SERVICE, pod_log(SERVICE, REFUSED), own_request(SERVICE)),
    world(
        SERVICE,
        pod_log(SERVICE, REFUSED, registered_line(age=1), previous=True),
        uniform(integration()),
    ),
]
PASSES = [
    world(SERVICE, pod_log(SERVICE)),
    world(SERVICE, pod_log(SERVICE, line("heartbeat", "registration_gone", text="404 not found"))),
    world(SERVICE, pod_log(SERVICE, line("heartbeat", "forbidden", text="403", age=2000))),
]


def test_when_nothing_else_works_heartbeats_are_not_singled_out():
    assert judge_one(__file__, world(SERVICE, pod_log(SERVICE, REFUSED))).status == "unknown"


def test_a_refused_post_counts_where_reads_pass():
    posts = pod_log(SERVICE, line("not_registered", "forbidden", text="status code 403"))

    finding = judge_one(__file__, world(SERVICE, posts, answers_seen(SERVICE)))

    assert finding.breaks == "disconnected"
    assert "POST" in finding.summary
    assert judge_one(__file__, world(SERVICE, posts)).status == "unknown"
