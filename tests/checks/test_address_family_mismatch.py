from check_under_test import judge_one

from keptn_doctor.api import DnsAnswer
from keptn_doctor.testing import (
    keptn_service,
    line,
    own_request,
    pod_log,
    pod_of,
    seen,
    workload_of,
    world,
)

SERVICE = keptn_service()
ENDPOINT = f"endpoint:{SERVICE.endpoint}"
SILENT = pod_log(SERVICE, line("heartbeat", "tcp_timeout"))


def _name(ipv4=(), ipv6=()):
    return seen(ENDPOINT, DnsAnswer(name="keptn.example.com", ipv4=ipv4, ipv6=ipv6))


def _pods(ip):
    return workload_of(SERVICE, pod_of(SERVICE, ip=ip))


V6 = _name(ipv6=("2001:db8::20",))
V4 = _name(ipv4=("203.0.113.20",))
BOTH = _name(ipv4=("203.0.113.20",), ipv6=("2001:db8::20",))

FAILS = [
    world(SERVICE, V6, _pods("10.1.0.10"), SILENT),
    world(SERVICE, V4, _pods("fd00::10"), SILENT),
]
PASSES = [
    world(SERVICE, BOTH, _pods("10.1.0.10"), SILENT),
    world(SERVICE, V6, _pods("10.1.0.10"), own_request(SERVICE)),
]


def test_both_families_are_named():
    summary = judge_one(__file__, FAILS[0]).summary

    assert "IPv6 addresses only (2001:db8::20)" in summary
    assert "IPv4 ones" in summary


def test_without_a_failing_connection_nothing_is_proven():
    assert judge_one(__file__, world(SERVICE, V6, _pods("10.1.0.10"))).status == "unknown"
