from check_under_test import judge_one
from exposure_worlds import gateway_seen

from keptn_doctor.api import PodProbe
from keptn_doctor.testing import keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service(endpoint="http://203.0.113.40:31090/api")
NODE_PORT = gateway_seen("NodePort", node_port=31090)
SILENT = pod_log(SERVICE, line("heartbeat", "tcp_timeout"))

FAILS = [
    world(SERVICE, NODE_PORT, SILENT),
    world(SERVICE, NODE_PORT, seen(SERVICE, PodProbe(connect="connect-timeout"), pod="x")),
]
PASSES = [world(SERVICE, NODE_PORT, own_request(SERVICE))]


def test_a_refused_connection_is_no_blocked_port():
    log = pod_log(SERVICE, line("heartbeat", "tcp_refused"))

    assert judge_one(__file__, world(SERVICE, NODE_PORT, log)).status == "unknown"


def test_other_ports_are_none_of_its_business():
    other = keptn_service(endpoint="http://203.0.113.40/api")

    assert judge_one(__file__, world(other, NODE_PORT)).status == "skip"
