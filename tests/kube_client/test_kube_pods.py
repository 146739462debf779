"""Logs, the pod proxy and port-forward, against the lab's API and real listeners behind it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct
import zlib

import pytest
from kube_worlds import ADMIN, LoopbackPods, World, answering, kube_api, pod, port_of, stub

from keptn_doctor.lab.kube import Rule, User
from keptn_doctor.lab.kube.misbehaviour import Misbehaviour
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pod_http import http_get_over
from keptn_doctor.probes.port_channels import CHANNELS
from keptn_doctor.probes.spdy import TUNNEL
from keptn_doctor.secret import Secret

pytestmark = pytest.mark.asyncio

LIMITS = Deadlines(connect_s=10, kube_s=30)
REGISTRATIONS = "/controlPlane/v1/uniform/registration"
PENDING = pod("pending") | {"status": {"phase": "Pending"}}


def client(world: World, url: str, token: str = ADMIN) -> KubeClient:
    return KubeClient(world.access(url, token), deadlines=LIMITS)


async def test_a_log_comes_with_the_servers_time(world: World) -> None:
    lines = "2026-11-23T13:50:00Z one\n2026-11-23T13:50:01Z two\n"
    async with (
        kube_api(world.tls(), objects=(pod("a"),), pods=LoopbackPods(log=lines)) as server,
        client(world, server.url) as kube,
    ):
        log = await kube.logs("keptn-exec", "a", "main", since_s=900)
    assert log.text == lines
    assert not log.truncated
    assert log.read_at is not None
    assert "sinceSeconds=900" in server.served[-1].query
    assert "tailLines=5000" in server.served[-1].query


async def test_a_log_as_long_as_its_bound_is_called_truncated(world: World) -> None:
    lines = "2026-11-23T13:50:00Z line\n" * 10
    async with (
        kube_api(world.tls(), objects=(pod("a"),), pods=LoopbackPods(log=lines)) as server,
        client(world, server.url) as kube,
    ):
        log = await kube.logs("keptn-exec", "a", "main", max_lines=10)
    assert log.truncated


async def test_an_endless_log_is_cut(world: World) -> None:
    async with kube_api(world.tls(), objects=(pod("a"),)) as server:
        server.misbehave(Misbehaviour(kind="flood"))
        async with client(world, server.url) as kube:
            log = await kube.logs("keptn-exec", "a", "main")
    assert log.truncated
    assert len(log.text) == 4 * 1024 * 1024


@pytest.mark.parametrize(("previous", "code"), [(False, "pod-not-running"), (True, "not-found")])
async def test_a_log_that_is_not_there_yet_is_said(
    world: World, *, previous: bool, code: str
) -> None:
    body = b'{"kind":"Status","code":400,"reason":"BadRequest","message":"waiting to start"}'
    async with (
        stub(answering("400 Bad Request", body), world.tls()) as url,
        client(world, url) as kube,
    ):
        with pytest.raises(WorldFault) as caught:
            await kube.logs("keptn-exec", "a", "main", previous=previous)
    assert (caught.value.failure.phase, caught.value.failure.code) == ("kube", code)


async def test_a_pods_own_status_comes_through_the_proxy(world: World) -> None:
    async with (
        stub(answering("412 Precondition Failed", b"not yet", "text/plain")) as inside,
        kube_api(
            world.tls(), objects=(pod("a"),), pods=LoopbackPods({8080: port_of(inside)})
        ) as server,
        client(world, server.url) as kube,
    ):
        answer = await kube.pod_proxy("keptn-exec", "a", 8080, "/health")
    assert (answer.status, answer.body) == (412, b"not yet")


async def test_a_pod_that_the_proxy_cannot_reach_is_a_failure(world: World) -> None:
    async with (
        kube_api(world.tls(), objects=(pod("a"),)) as server,
        client(world, server.url) as kube,
    ):
        with pytest.raises(WorldFault) as caught:
            await kube.pod_proxy("keptn-exec", "a", 8080, "/health")
    failure = caught.value.failure
    assert (failure.phase, failure.code) == ("connect", "connection-refused")


async def test_a_refused_proxy_is_not_the_pods_answer(world: World) -> None:
    members = {"poor": User(name="poor")}
    async with (
        kube_api(world.tls(), objects=(pod("a"),), members=members) as server,
        client(world, server.url, "poor") as kube,
    ):
        with pytest.raises(WorldFault) as caught:
            await kube.pod_proxy("keptn-exec", "a", 8080, "/health")
    assert caught.value.failure.right == "get pods/proxy in namespace keptn-exec"


# --- port-forward ---------------------------------------------------------------------------


@pytest.mark.parametrize("generation", ["1.20", "1.30", "1.36"])
async def test_a_get_goes_through_the_forwarded_port(world: World, generation: str) -> None:
    heads: list[str] = []

    async def inside(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        body = b"[" + b'{"id":"x"},' * 20_000 + b'{"id":"y"}]'
        writer.write(b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async with (
        stub(inside) as url,
        kube_api(
            world.tls(),
            objects=(pod("a"),),
            pods=LoopbackPods({8081: port_of(url)}),
            generation=generation,
        ) as server,
        client(world, server.url) as kube,
    ):
        stream = await kube.port_forward("keptn-exec", "a", 8081)
        got = await http_get_over(stream, REGISTRATIONS, port=8081, token=Secret("known-good"))
        await stream.aclose()
    assert (got.answer.status, got.answer.server, got.answer.body) == (200, "nginx", "json")
    assert got.answer.size == len(got.content) > 200_000
    assert heads[0].startswith(f"GET {REGISTRATIONS} HTTP/1.1\r\n")
    assert "Host: localhost:8081\r\n" in heads[0]
    assert "x-token: known-good" in heads[0].lower()


async def test_an_empty_500_without_a_server_header_is_an_answer(world: World) -> None:
    handler = answering("500 Internal Server Error", b"")
    async with (
        stub(handler) as url,
        kube_api(
            world.tls(), objects=(pod("a"),), pods=LoopbackPods({8081: port_of(url)})
        ) as server,
        client(world, server.url) as kube,
    ):
        stream = await kube.port_forward("keptn-exec", "a", 8081)
        got = await http_get_over(stream, REGISTRATIONS, port=8081)
        await stream.aclose()
    assert (got.answer.status, got.answer.server, got.answer.body) == (500, "", "empty")


async def test_a_port_nobody_listens_on_is_told_from_a_broken_way(world: World) -> None:
    async with (
        kube_api(world.tls(), objects=(pod("a"),)) as server,
        client(world, server.url) as kube,
    ):
        stream = await kube.port_forward("keptn-exec", "a", 8081)
        with pytest.raises(WorldFault) as caught:
            await http_get_over(stream, REGISTRATIONS, port=8081)
        await stream.aclose()
    failure = caught.value.failure
    assert (failure.phase, failure.code) == ("connect", "port-forward-failed")
    assert "connection refused" in failure.detail


async def test_a_pod_that_does_not_run_takes_no_forward(world: World) -> None:
    async with (
        kube_api(world.tls(), objects=(PENDING,)) as server,
        client(world, server.url) as kube,
    ):
        with pytest.raises(WorldFault) as caught:
            await kube.port_forward("keptn-exec", "pending", 8081)
    failure = caught.value.failure
    assert (failure.phase, failure.code) == ("kube", "port-forward-failed")
    assert "not running" in failure.detail


async def test_a_missing_pod_takes_no_forward(world: World) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "keptn-exec"}}
    async with (
        kube_api(world.tls(), objects=(namespace,)) as server,
        client(world, server.url) as kube,
    ):
        with pytest.raises(WorldFault) as caught:
            await kube.port_forward("keptn-exec", "gone", 8081)
    assert caught.value.failure.code == "not-found"


async def test_the_right_to_forward_is_named_when_it_is_missing(world: World) -> None:
    readers = Rule(resources=("pods",), verbs=("get", "list"))
    members = {"poor": User(name="poor", rules=(readers,))}
    async with (
        kube_api(world.tls(), objects=(pod("a"),), members=members) as server,
        client(world, server.url, "poor") as kube,
    ):
        with pytest.raises(WorldFault) as caught:
            await kube.port_forward("keptn-exec", "a", 8081)
    failure = caught.value.failure
    assert failure.code == "forbidden"
    assert failure.right == "create pods/portforward in namespace keptn-exec"


async def test_a_pod_that_says_nothing_meets_the_deadline(world: World) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:  # noqa: ARG001
        await reader.read()

    async with (
        stub(silent) as url,
        kube_api(
            world.tls(), objects=(pod("a"),), pods=LoopbackPods({8081: port_of(url)})
        ) as server,
        client(world, server.url) as kube,
    ):
        stream = await kube.port_forward("keptn-exec", "a", 8081)
        with pytest.raises(WorldFault) as caught:
            await http_get_over(stream, REGISTRATIONS, port=8081, deadline_s=0.3)
        await stream.aclose()
    assert caught.value.failure.code == "read-timeout"


async def test_a_pod_that_hangs_up_is_a_closed_connection(world: World) -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with (
        stub(rude) as url,
        kube_api(
            world.tls(), objects=(pod("a"),), pods=LoopbackPods({8081: port_of(url)})
        ) as server,
        client(world, server.url) as kube,
    ):
        stream = await kube.port_forward("keptn-exec", "a", 8081)
        with pytest.raises(WorldFault) as caught:
            await http_get_over(stream, REGISTRATIONS, port=8081)
        await stream.aclose()
    assert (caught.value.failure.phase, caught.value.failure.code) == ("http", "connection-closed")


# --- the two protocols, byte by byte --------------------------------------------------------


def frame(payload: bytes, opcode: int = 2) -> bytes:
    """An unmasked websocket frame, as servers send them."""
    length = len(payload)
    if length < 126:
        return bytes([0x80 | opcode, length]) + payload
    return bytes([0x80 | opcode, 126]) + struct.pack(">H", length) + payload


class Peer:
    """The server's half of one websocket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def accept(self, protocol: str, *, spoil: str = "") -> str:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        offered = {k.lower(): v for k, _, v in (ln.partition(": ") for ln in head.splitlines())}
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        digest = hashlib.sha1((offered["sec-websocket-key"] + guid).encode()).digest()
        accept = base64.b64encode(digest).decode() + spoil
        self.writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n".encode()
        )
        await self.writer.drain()
        return offered["sec-websocket-protocol"]

    async def receive(self) -> tuple[int, bytes]:
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", await self.reader.readexactly(2))
        mask = await self.reader.readexactly(4)
        masked = await self.reader.readexactly(length)
        return first & 0x0F, bytes(b ^ mask[i % 4] for i, b in enumerate(masked))

    async def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))
        await self.writer.drain()


async def test_pings_and_split_messages_do_not_disturb_the_channels(world: World) -> None:
    answered: list[tuple[int, bytes]] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        await peer.accept(CHANNELS)
        announced = struct.pack("<H", 8081)
        await peer.send(
            frame(b"\x00" + announced),
            frame(b"\x01" + announced),
            frame(b"still there?", opcode=9),
            bytes([0x02, 3]) + b"\x00he",  # the first part of a message
            bytes([0x80, 3]) + b"llo",
        )
        answered.append(await peer.receive())
        await peer.send(frame(struct.pack(">H", 1000), opcode=8))

    async with stub(handler, world.tls()) as url, client(world, url) as kube:
        stream = await kube.port_forward("keptn-exec", "a", 8081)
        assert await stream.read() == b"hello"
        assert await stream.read() == b""
        await stream.aclose()
    assert answered == [(10, b"still there?")]


async def test_a_wrong_handshake_is_a_protocol_error(world: World) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Peer(reader, writer).accept(CHANNELS, spoil="x")

    async with stub(handler, world.tls()) as url, client(world, url) as kube:
        with pytest.raises(WorldFault) as caught:
            await kube.port_forward("keptn-exec", "a", 8081)
    assert (caught.value.failure.phase, caught.value.failure.code) == ("http", "protocol-error")


async def test_a_server_that_takes_the_older_protocol_alone_gets_it(world: World) -> None:
    offers: list[str] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        if not offers:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            offers.append(head)
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        offers.append(await peer.accept(CHANNELS))
        await peer.send(frame(b"\x00" + struct.pack("<H", 8081)), frame(b"\x00ok"))
        await peer.receive()

    async with stub(handler, world.tls()) as url, client(world, url) as kube:
        stream = await kube.port_forward("keptn-exec", "a", 8081)
        assert await stream.read() == b"ok"
        await stream.aclose()
    assert TUNNEL in offers[0]
    assert offers[1] == CHANNELS


class SpdyPeer(Peer):
    """A kubelet behind a tunnelling API server, as far as one port goes."""

    async def streams(self) -> dict[str, int]:
        """Stream ids by type, from the two SYN_STREAM frames of the client."""
        inflate = zlib.decompressobj()
        found: dict[str, int] = {}
        for _ in range(2):
            _, message = await self.receive()
            control, kind = struct.unpack(">HH", message[:4])
            assert (control, kind) == (0x8003, 1)
            length = struct.unpack(">I", message[4:8])[0] & 0xFFFFFF
            assert length == len(message) - 8
            (stream,) = struct.unpack(">I", message[8:12])
            headers = self._headers(inflate.decompress(message[18:]))
            assert headers["port"] == "8081"
            found[headers["streamtype"]] = stream
            assert message[4] == (1 if headers["streamtype"] == "error" else 0)
            reply = struct.pack(">HHII", 0x8003, 2, 4, stream)
            await self.send(frame(reply))
        return found

    @staticmethod
    def _headers(block: bytes) -> dict[str, str]:
        (count,), at = struct.unpack(">I", block[:4]), 4
        texts: list[str] = []
        for _ in range(2 * count):
            (length,) = struct.unpack(">I", block[at : at + 4])
            texts.append(block[at + 4 : at + 4 + length].decode())
            at += 4 + length
        return dict(zip(texts[::2], texts[1::2], strict=True))


def data_frame(stream: int, data: bytes, *, last: bool = False) -> bytes:
    return struct.pack(">II", stream, (0x01000000 if last else 0) | len(data)) + data


async def test_a_port_is_forwarded_through_a_spdy_tunnel(world: World) -> None:
    received: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = SpdyPeer(reader, writer)
        await peer.accept(TUNNEL)
        streams = await peer.streams()
        _, request = await peer.receive()
        received.append(request[8:])
        answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        whole = struct.pack(">HHII", 0x8003, 6, 4, 2) + data_frame(streams["data"], answer)
        await peer.send(frame(whole[:13]), frame(whole[13:]))  # frames need not fit messages
        _, ping = await peer.receive()
        received.append(ping)
        await peer.send(frame(data_frame(streams["data"], b"", last=True)))

    async with stub(handler, world.tls()) as url, client(world, url) as kube:
        stream = await kube.port_forward("keptn-exec", "a", 8081)
        assert stream.protocol == TUNNEL
        got = await http_get_over(stream, "/health", port=8081)
        assert got.answer.status == 204
        assert await stream.read() == b""
        await stream.aclose()
    assert received[0].startswith(b"GET /health HTTP/1.1\r\n")
    assert received[1] == struct.pack(">HHII", 0x8003, 6, 4, 2)


async def test_a_refusal_in_a_spdy_tunnel_is_the_kubelets_word(world: World) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = SpdyPeer(reader, writer)
        await peer.accept(TUNNEL)
        streams = await peer.streams()
        said = b"error forwarding port 8081: dial tcp4 127.0.0.1:8081: connect: connection refused"
        await peer.send(
            frame(data_frame(streams["error"], said)),
            frame(data_frame(streams["error"], b"", last=True)),
            frame(data_frame(streams["data"], b"", last=True)),
        )
        await peer.receive()

    async with stub(handler, world.tls()) as url, client(world, url) as kube:
        stream = await kube.port_forward("keptn-exec", "a", 8081)
        with pytest.raises(WorldFault) as caught:
            await stream.read()
        await stream.aclose()
    failure = caught.value.failure
    assert (failure.phase, failure.code) == ("connect", "port-forward-failed")
