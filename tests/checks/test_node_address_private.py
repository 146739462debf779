from check_under_test import judge_one
from exposure_worlds import nodes

from keptn_doctor.testing import keptn_service, line, own_request, pod_log, world

SERVICE = keptn_service(endpoint="http://10.0.2.15:31090/api")
SILENT = pod_log(SERVICE, line("heartbeat", "tcp_timeout"))
THERE = nodes(internal=("10.0.2.15",), external=("203.0.113.40",))

FAILS = [
    world(SERVICE, THERE, SILENT),
    world(
        SERVICE, nodes(internal=("10.0.2.15",)), nodes("exec-a", internal=("172.16.0.4",)), SILENT
    ),
]
PASSES = [world(SERVICE, THERE, own_request(SERVICE))]


def test_the_external_address_is_offered():
    assert "http://203.0.113.40:31090/api" in judge_one(__file__, FAILS[0]).command


def test_neighbours_may_be_routed_to_each_other():
    near = world(
        SERVICE, nodes(internal=("10.0.2.15",)), nodes("exec-a", internal=("10.0.7.4",)), SILENT
    )

    assert judge_one(__file__, near).status == "unknown"


def test_a_public_address_is_no_private_one():
    public = keptn_service(endpoint="http://203.0.113.40:31090/api")

    assert judge_one(__file__, world(public, THERE)).status == "skip"
