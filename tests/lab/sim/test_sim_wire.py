"""What packets meet: every TCP behaviour, seen through real sockets."""

from __future__ import annotations

import asyncio
import errno
import ssl

import pytest
from sim_worlds import ADDRESS, HOST, TOKEN, ask, listener, world

from keptn_doctor.lab.network.wire import NoRouteToHostError
from keptn_doctor.lab.settings import (
    EgressRule,
    EgressSettings,
    HopSettings,
    PlaneNetworkSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio


async def _connect(simulation: Simulation, address: str = ADDRESS, port: int = 80):
    host, real = simulation.network().destination(address, port)
    async with asyncio.timeout(0.4):
        return await asyncio.open_connection(host, real)


def _hop(behaviour: str, vantage: str = "*", port: int = 80, **more):
    hop = HopSettings(vantage=vantage, behaviour=behaviour, **more)
    return world("0.19.3", listeners=(listener(port, hops=(hop,)),))


async def test_a_refused_port_refuses():
    async with Simulation(_hop("refuse")) as simulation:
        with pytest.raises(ConnectionRefusedError):
            await _connect(simulation)


async def test_dropped_packets_end_in_silence():
    async with Simulation(_hop("drop")) as simulation:
        with pytest.raises(TimeoutError):
            await _connect(simulation)


async def test_an_address_that_nobody_has_swallows_packets():
    async with Simulation(world("0.19.3")) as simulation:
        with pytest.raises(TimeoutError):
            await _connect(simulation, "198.18.0.1", 443)


async def test_a_missing_route_is_an_error_of_its_own():
    async with Simulation(_hop("no-route")) as simulation:
        with pytest.raises(OSError, match="unreachable") as raised:
            await _connect(simulation)
        assert raised.value.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH)


async def test_a_reset_comes_after_the_connection_was_accepted():
    async with Simulation(_hop("reset")) as simulation:
        reader, writer = await _connect(simulation)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_a_filter_resets_tls_when_the_client_hello_comes():
    settings = world(
        "0.19.3",
        listeners=(
            listener(
                443, certificate="good", hops=(HopSettings(behaviour="reset-after-client-hello"),)
            ),
        ),
    )
    async with Simulation(settings) as simulation:
        _, writer = await _connect(simulation, port=443)
        context = ssl.create_default_context()
        with pytest.raises((ConnectionResetError, ssl.SSLError)):
            await writer.start_tls(context, server_hostname=HOST)
        writer.close()


async def test_a_silent_peer_accepts_and_never_answers():
    async with Simulation(_hop("silent")) as simulation:
        reader, writer = await _connect(simulation)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.read()
        writer.close()


async def test_a_cut_answer_ends_in_the_middle():
    async with Simulation(_hop("cut", after_bytes=30)) as simulation:
        reader, writer = await _connect(simulation)
        writer.write(b"GET /bridge/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert len(await reader.read()) == 30
        writer.close()


async def test_a_dripping_peer_sends_single_bytes():
    async with Simulation(_hop("drip")) as simulation:
        reader, writer = await _connect(simulation)
        writer.write(b"GET /bridge/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert len(await reader.read(100)) == 1
        writer.close()


async def test_every_other_connection_can_be_hit():
    async with Simulation(_hop("reset", every=2)) as simulation:
        answers = []
        for _ in range(4):
            reader, writer = await _connect(simulation)
            writer.write(b"GET /nginx-health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            try:
                answers.append(bool(await reader.read()))
            except ConnectionResetError:
                answers.append(False)
            writer.close()
        assert answers == [True, False, True, False]


async def test_plain_http_on_a_tls_port_gets_the_page_of_nginx():
    async with Simulation(world("0.19.3")) as simulation:
        answer = await ask(simulation, "/", port=443)
        assert answer.status_code == 400
        assert "plain HTTP request was sent to HTTPS port" in answer.text


async def test_each_vantage_has_its_own_way_to_the_same_address():
    settings = _hop("drop", vantage="exec-a")
    async with Simulation(settings) as simulation:
        assert (await ask(simulation, "/nginx-health")).text == "OK"
        with pytest.raises(TimeoutError):
            await simulation.wire.open("exec-a", ADDRESS, 80)


@pytest.mark.parametrize(
    ("default", "error"),
    [
        ("drop", TimeoutError),
        ("no-route", NoRouteToHostError),
        ("refuse", ConnectionRefusedError),
    ],
)
async def test_an_egress_policy_stops_the_services_it_selects(default, error):
    plane = PlaneNetworkSettings(
        vantage="exec-a", egress=(EgressSettings(applies_to=("keptn-exec/*",), default=default),)
    )
    async with Simulation(world("0.19.3", planes=(plane,))) as simulation:
        with pytest.raises(error):
            await simulation.wire.open("exec-a", ADDRESS, 80, service="keptn-exec/helm-service")
        _, writer = await simulation.wire.open("exec-a", ADDRESS, 80, service="default/curl")
        writer.close()


async def test_a_pinned_address_in_a_policy_lets_only_that_address_through():
    plane = PlaneNetworkSettings(
        vantage="exec-a",
        egress=(EgressSettings(default="drop", allow=(EgressRule(cidr="203.0.113.7/32"),)),),
    )
    settings = world(
        "0.19.3", planes=(plane,), listeners=(listener(), listener(address="203.0.113.7"))
    )
    async with Simulation(settings) as simulation:
        _, writer = await simulation.wire.open("exec-a", "203.0.113.7", 80)
        writer.close()
        with pytest.raises(TimeoutError):
            await simulation.wire.open("exec-a", ADDRESS, 80)


async def _talk(simulation: Simulation, request: bytes, vantage: str = "exec-a") -> bytes:
    reader, writer = await simulation.wire.open(vantage, ADDRESS, 80)
    writer.write(request + b"Host: x\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


async def test_the_gateway_sees_the_address_after_nat():
    plane = PlaneNetworkSettings(vantage="exec-a", nat_address="203.0.113.99")
    async with Simulation(world("0.19.3", planes=(plane,))) as simulation:
        await _talk(simulation, b"GET /bridge/ HTTP/1.1\r\n")
        assert simulation.gateways["keptn"].log[-1][1].startswith("203.0.113.99 - - [")


async def test_a_registry_only_mesh_answers_for_hosts_it_does_not_know():
    plane = PlaneNetworkSettings(vantage="exec-a", egress=(EgressSettings(registry_only=True),))
    async with Simulation(world("0.19.3", planes=(plane,))) as simulation:
        answer = await _talk(simulation, b"GET / HTTP/1.1\r\n")
        assert answer.startswith(b"HTTP/1.1 502 Bad Gateway")
        assert b"server: envoy" in answer.lower()
        _, writer = await simulation.wire.open("exec-a", ADDRESS, 443)
        with pytest.raises((ConnectionResetError, ssl.SSLError)):
            await writer.start_tls(ssl.create_default_context(), server_hostname=HOST)
        writer.close()


async def test_an_inspecting_firewall_shows_its_own_certificate():
    plane = PlaneNetworkSettings(vantage="exec-a", egress=(EgressSettings(inspection="resign"),))
    async with Simulation(world("0.19.3", planes=(plane,))) as simulation:
        context = ssl.create_default_context(cafile=str(simulation.ca_file()))
        _, writer = await simulation.wire.open("exec-a", ADDRESS, 443)
        with pytest.raises(ssl.SSLCertVerificationError):
            await writer.start_tls(context, server_hostname=HOST)
        writer.close()
        _, direct = await simulation.wire.open("exec-b", ADDRESS, 443)
        await direct.start_tls(context, server_hostname=HOST)
        direct.close()


async def test_an_sni_filter_acts_on_the_names_it_knows_alone():
    plane = PlaneNetworkSettings(
        vantage="exec-a",
        egress=(
            EgressSettings(
                inspection="reset-after-client-hello", inspected_hosts=("blocked.example.com",)
            ),
        ),
    )
    async with Simulation(world("0.19.3", planes=(plane,))) as simulation:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        _, fine = await simulation.wire.open("exec-a", ADDRESS, 443)
        await fine.start_tls(context, server_hostname=HOST)
        fine.close()
        _, blocked = await simulation.wire.open("exec-a", ADDRESS, 443)
        with pytest.raises((ConnectionResetError, ssl.SSLError)):
            await blocked.start_tls(context, server_hostname="blocked.example.com")
        blocked.close()


async def test_a_gateway_that_is_down_has_nobody_listening():
    async with Simulation(world("0.19.3", keptn={"gateway": "down"})) as simulation:
        with pytest.raises(ConnectionRefusedError):
            await _connect(simulation)


async def test_loopback_destinations_are_left_alone():
    async with Simulation(world("0.19.3")) as simulation:
        assert simulation.network().destination("127.0.0.1", 6443) == ("127.0.0.1", 6443)
        assert simulation.keptn.token == TOKEN
