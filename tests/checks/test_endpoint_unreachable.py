import pytest
from check_under_test import judge_one

from keptn_doctor.api import Failure, PodProbe, TcpConnection
from keptn_doctor.testing import POD, keptn_service, line, own_request, pod_log, seen, world

SERVICE = keptn_service()
ENDPOINT = f"endpoint:{SERVICE.endpoint}"
OUTSIDE = seen(ENDPOINT, TcpConnection(host="keptn.example.com", port=443, address="192.0.2.10"))
SILENT = seen(ENDPOINT, Failure(phase="connect", code="connect-timeout"), probe="tcp")
TOLD = pod_log(SERVICE, line("heartbeat", "tcp_timeout", text="dial tcp: i/o timeout"))

FAILS = [
    world(SERVICE, TOLD, OUTSIDE),
    world(SERVICE, seen(SERVICE, PodProbe(resolve="ok", connect="connect-timeout"), pod=POD)),
    world(SERVICE, SILENT),
]
PASSES = [
    world(SERVICE, own_request(SERVICE, 200), SILENT),
    world(SERVICE, seen(SERVICE, PodProbe(resolve="ok", connect="ok"), pod=POD)),
]


def test_when_this_machine_gets_through_the_planes_way_out_is_looked_at():
    assert "the way out of exec-a" in judge_one(__file__, FAILS[0]).remedy


def test_when_this_machine_does_not_either_the_exposure_is_looked_at():
    assert "gateway is exposed" in judge_one(__file__, world(SERVICE, TOLD, SILENT)).remedy


@pytest.mark.parametrize("cause", ["tcp_timeout", "tcp_reset", "egress_proxy"])
def test_each_kind_of_silence_counts(cause):
    finding = judge_one(__file__, world(SERVICE, pod_log(SERVICE, line("heartbeat", cause))))

    assert finding.breaks == "disconnected"


def test_the_operators_view_alone_is_a_suspicion():
    assert judge_one(__file__, FAILS[2]).suspected
