"""The connect rung: every address is tried, and each keeps its own failure."""

from __future__ import annotations

import contextlib
import errno
import socket

import msgspec
import pytest

from keptn_doctor.network_settings import ConnectTo, NetworkSettings
from keptn_doctor.probes.failures import WorldFault, connect_failure
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.tcp import connect

from .conftest import Serve, Zone, hang_up

pytestmark = pytest.mark.asyncio


async def code(network: Network, port: int, *addresses: str) -> tuple[str, str, str]:
    with pytest.raises(WorldFault) as caught:
        await connect(network, "h", port, addresses=addresses, deadline_s=1)
    failure = caught.value.failure
    return failure.phase, failure.code, failure.detail


async def test_one_live_address_is_enough_and_the_dead_one_is_kept(serve: Serve) -> None:
    port = await serve(hang_up)
    rule = ConnectTo(host="192.0.2.1", port=80, to_host="127.0.0.1", to_port=port)
    dead = ConnectTo(host="192.0.2.9", port=80, to_host="127.0.0.9", to_port=port)
    network = Network(NetworkSettings(connect_to=(rule, dead)))
    seen = await connect(network, "h", 80, addresses=("192.0.2.9", "192.0.2.1"), deadline_s=1)
    assert (seen.host, seen.port, seen.address) == ("h", 80, "192.0.2.1")
    assert seen.failed == ("192.0.2.9: connection-refused",)


async def test_no_live_address_is_a_failure_that_names_each(dead_port: int) -> None:
    phase, kind, detail = await code(Network(), dead_port, "127.0.0.1", "127.0.0.2")
    assert (phase, kind) == ("connect", "connection-refused")
    assert detail == "127.0.0.1: connection-refused; 127.0.0.2: connection-refused"


async def test_a_rule_for_the_name_beats_the_addresses(serve: Serve) -> None:
    rule = ConnectTo(host="H", port=80, to_host="127.0.0.1", to_port=await serve(hang_up))
    network = Network(NetworkSettings(connect_to=(rule,)))
    assert network.detoured("h", 80)
    seen = await connect(network, "h", 80, addresses=("192.0.2.1",), deadline_s=1)
    assert seen.failed == ()


async def test_no_address_at_all_is_unreachable() -> None:
    assert (await code(Network(), 80))[:2] == ("connect", "host-unreachable")


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ECONNREFUSED, "connection-refused"),
        (errno.ETIMEDOUT, "connect-timeout"),
        (errno.EHOSTUNREACH, "host-unreachable"),
        (errno.ENETUNREACH, "network-unreachable"),
        (errno.EADDRNOTAVAIL, "network-unreachable"),
        (errno.ECONNRESET, "connection-reset"),
        (errno.EPERM, "host-unreachable"),
        (errno.EACCES, "host-unreachable"),
    ],
)
async def test_the_systems_error_number_decides_the_code(number: int, expected: str) -> None:
    failure = connect_failure(OSError(number, "in any language"))
    assert failure is not None
    assert (failure.phase, failure.code) == ("connect", expected)


async def test_a_port_that_never_answers_ends_at_the_deadline() -> None:
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # Linux drops further SYNs once the queue is full, as a firewall would
        port = full.getsockname()[1]
        for _ in range(4):
            filler = waiting.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        with pytest.raises(WorldFault) as caught:
            await connect(Network(), "h", port, addresses=("127.0.0.1",), deadline_s=0.05)
    assert caught.value.failure.code == "connect-timeout"


async def test_a_rule_for_any_host_moves_connections_and_not_names(
    serve: Serve, zone: Zone
) -> None:
    zone.records = ["h.example.com. 60 IN A 192.0.2.1"]
    anywhere = ConnectTo(to_host="127.0.0.1", to_port=await serve(hang_up))
    itself = ConnectTo(host="localhost")
    rules = (itself, anywhere)
    network = Network(msgspec.structs.replace(zone.settings(), connect_to=rules))
    assert not network.detoured("h.example.com", 80)
    assert not network.detoured("localhost", 80)
    assert await network.destinations("h.example.com", 80) == (("127.0.0.1", anywhere.to_port),)
    with pytest.raises(WorldFault, match="name-unknown"):
        await network.destinations("nobody.example.com", 80)
