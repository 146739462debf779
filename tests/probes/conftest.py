"""Tiny servers on the loopback, one behaviour each, gone when the test ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import pytest_asyncio

from keptn_doctor.network_settings import NetworkSettings
from keptn_doctor.probes.network import Network

from . import pki

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[..., Awaitable[int]]


@pytest_asyncio.fixture
async def serve() -> AsyncIterator[Serve]:
    """``await serve(handler, tls=None, host="127.0.0.1")`` starts a server and gives its port."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(
        handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> int:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
                    await handler(reader, writer)
            except asyncio.CancelledError:
                pass
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(run, host, 0, ssl=tls)
        servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Accepts, reads and never says a word."""
    while await reader.read(4096):
        pass
    await asyncio.Event().wait()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads once, then closes in good order."""
    await reader.read(4096)
    writer.close()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads once, then resets the connection."""
    await reader.read(4096)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest_asyncio.fixture
async def dead_port() -> AsyncIterator[int]:
    """A port that is bound and does not listen, so nothing else can take it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """The machine's own network, which trusts the test's authority too."""
    path = tmp_path / "ca.pem"
    path.write_bytes(pki.root().pem())
    return Network(NetworkSettings(trust_ca_file=str(path)))


class Zone:
    """What a name server of the test answers: records as zone file lines, or a behaviour."""

    def __init__(self) -> None:
        self.records: list[str] = []
        self.behaviour: dict[str, str] = {}  # name -> "servfail", "refused", "drop"…
        self.queries: list[str] = []
        self.server = ""

    def settings(
        self, *, search: tuple[str, ...] = (), ndots: int | None = None
    ) -> NetworkSettings:
        return NetworkSettings(nameservers=(self.server,), search=search, ndots=ndots)

    def answer(self, wire: bytes) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        self.queries.append(f"{name} {dns.rdatatype.to_text(question.rdtype)}")
        reply = dns.message.make_response(query)
        behaviour = self.behaviour.get(name, self.behaviour.get("*", ""))
        kind = dns.rdatatype.to_text(question.rdtype)
        behaviour = self.behaviour.get(f"{name} {kind}", behaviour)
        if behaviour == "drop":
            return None
        if behaviour == "garbage":
            return b"\0" * 5
        if behaviour:
            reply.set_rcode(dns.rcode.from_text(behaviour))
            return reply.to_wire()
        self._fill(reply, question.name, question.rdtype)
        return reply.to_wire()

    def _fill(
        self, reply: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> None:
        sets = [dns.rrset.from_text(*line.split(None, 4)) for line in self.records]
        for _ in range(5):
            alias = [s for s in sets if s.name == name and s.rdtype == dns.rdatatype.CNAME]
            found = [s for s in sets if s.name == name and s.rdtype == kind]
            reply.answer.extend(found or alias)
            if found or not alias:
                break
            name = alias[0][0].target
        if not any(s.name == name for s in sets):
            reply.set_rcode(dns.rcode.NXDOMAIN)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self.zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self.zone.answer(data)
        if answer is not None:
            self.transport.sendto(answer, addr)  # type: ignore[attr-defined]


@pytest_asyncio.fixture
async def zone() -> AsyncIterator[Zone]:
    """A name server over UDP; its address is in ``zone.settings()``."""
    served = Zone()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Datagrams(served), local_addr=("127.0.0.1", 0)
    )
    served.server = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    yield served
    transport.close()
