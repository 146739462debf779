from check_under_test import judge_one

from keptn_doctor.api import Failure, PodProbe, TcpConnection
from keptn_doctor.testing import POD, keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
ENDPOINT = f"endpoint:{SERVICE.endpoint}"
REFUSED = seen(ENDPOINT, Failure(phase="connect", code="connection-refused"), probe="tcp")
FAILS = [
    world(SERVICE, pod_log(SERVICE, line("heartbeat", "tcp_refused"))),
    world(SERVICE, seen(SERVICE, PodProbe(resolve="ok", connect="connection-refused"), pod=POD)),
    world(SERVICE, REFUSED),
]
PASSES = [
    world(SERVICE, own_request(SERVICE, 502, body="html"), REFUSED),
    world(SERVICE, seen(SERVICE, PodProbe(resolve="ok", connect="ok"), pod=POD)),
]


def test_it_names_host_and_port():
    finding = judge_one(__file__, FAILS[0])

    assert "keptn.example.com:443" in finding.summary
    assert finding.breaks == "disconnected"


def test_the_operators_refusal_alone_is_a_suspicion():
    assert judge_one(__file__, FAILS[2]).suspected


def test_that_the_operator_connects_is_no_proof_for_the_pod():
    connected = TcpConnection(host="keptn.example.com", port=443, address="192.0.2.10")

    assert judge_one(__file__, world(SERVICE, seen(ENDPOINT, connected))).status == "unknown"
