"""Which address a service calls, and by which ones the gateway is reached."""

from __future__ import annotations

import pytest

from keptn_doctor.model.keptn_facts import PodProbe
from keptn_doctor.model.path_facts import DnsAnswer
from keptn_doctor.reading.address import called, holds_private, is_private, written_address
from keptn_doctor.testing import endpoint, keptn_service, line, pod_log

NAMED = endpoint("https://keptn.example.com/api", keptn_service())
HERE = DnsAnswer(name="keptn.example.com", ipv4=("203.0.113.20",))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7.nip.io", "203.0.113.7"),
        ("keptn.203-0-113-7.sslip.io", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("keptn.example.com", ""),
        ("1.2.3.4.example.com", ""),
        ("999.2.3.4.nip.io", ""),
    ],
)
def test_an_address_may_be_spelt_by_the_host_itself(host, address):
    assert written_address(host) == address


def test_the_log_beats_the_probe_and_the_probe_the_operators_name_server():
    log = pod_log(
        keptn_service(), line("heartbeat", "tcp_timeout", captures={"dialled": "203.0.113.7"})
    ).result
    probe = PodProbe(addresses=("203.0.113.8",))

    assert called(NAMED, (log,), probe, HERE).addresses == ("203.0.113.7",)
    assert called(NAMED, None, probe, HERE).addresses == ("203.0.113.8",)
    assert called(NAMED, None, None, HERE).addresses == ("203.0.113.20",)
    assert not called(NAMED, None, None, HERE).certain


def test_documentation_addresses_are_not_private_but_shared_ones_are():
    assert not is_private("203.0.113.7")
    assert is_private("100.64.1.1")
    assert holds_private("0.0.0.0/0")
    assert not holds_private("203.0.113.0/24")
