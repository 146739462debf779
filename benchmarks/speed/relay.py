"""A wire with a length: TCP and UDP relays on the loopback that delay, count and time bytes.

It stands between the doctor (or kubectl, or curl) and the lab, so that a round trip costs what it
would cost over a real network, whoever makes it. Bytes travel half a round trip each way, in
order. The kernel of the loopback answers a TCP handshake at once; the round trip that a handshake
really costs is charged to the connection's first bytes, which leaves every later byte at the
moment at which a real network would have delivered it. A connection on which no byte is ever sent
is the exception: it is counted as ``bare``, and whoever reports a time has to add it.

It never looks into the bytes: TLS passes through as it is.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast

_CHUNK = 262_144
_LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class Connection:
    """What one connection (or one question over UDP) carried; times are ``time.monotonic()``."""

    to: str
    opened: float
    closed: float = 0.0
    up: int = 0
    down: int = 0
    trips: int = 0  # times that bytes of the client were answered by bytes of the server
    first_byte: float = 0.0
    last_byte: float = 0.0
    asked: bool = False  # the client spoke last

    @property
    def bare(self) -> bool:
        """Opened to see whether it opens, and closed again."""
        return not self.up


@dataclass(slots=True)
class Relay:
    """Relays of one lab; ``round_trip_s`` may be changed between runs."""

    round_trip_s: float = 0.0
    connections: list[Connection] = field(default_factory=list)
    _servers: list[asyncio.Server] = field(default_factory=list)
    _transports: list[asyncio.DatagramTransport] = field(default_factory=list)
    _ports: dict[int, int] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def tcp(self, port: int, name: str) -> int:
        """The port of a relay to a TCP port of the loopback; made once for each port."""
        if port not in self._ports:

            def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.create_task(self._carry(reader, writer, port, name))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

            server = await asyncio.start_server(
                accepted, _LOOPBACK, 0, limit=_CHUNK, backlog=512
            )
            self._servers.append(server)
            self._ports[port] = int(server.sockets[0].getsockname()[1])
        return self._ports[port]

    async def udp(self, port: int, name: str) -> int:
        """The same for a UDP port."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Questions(self, port, name), local_addr=(_LOOPBACK, 0)
        )
        self._transports.append(transport)
        return int(transport.get_extra_info("sockname")[1])

    def reset(self) -> None:
        """Forget what was carried so far."""
        self.connections.clear()

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for transport in self._transports:
            transport.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, name: str
    ) -> None:
        connection = Connection(to=name, opened=time.monotonic())
        self.connections.append(connection)
        try:
            far_reader, far_writer = await asyncio.open_connection(_LOOPBACK, port, limit=_CHUNK)
        except OSError:
            writer.close()
            return
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer, connection, up=True))
                group.create_task(self._pump(far_reader, writer, connection, up=False))
        finally:
            connection.closed = time.monotonic()
            for end in (writer, far_writer):
                end.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connection: Connection,
        *,
        up: bool,
    ) -> None:
        """One direction; an empty piece is its end."""
        queue: asyncio.Queue[tuple[asyncio.Future[None], bytes]] = asyncio.Queue()
        delivering = asyncio.create_task(_deliver(queue, writer))
        try:
            data = b"-"
            while data:
                data = await _read(reader)
                first = up and not connection.up
                if data:
                    (_upward if up else _downward)(connection, len(data), time.monotonic())
                travelled = self.travel(connection, up=up, first=first, end=not data)
                queue.put_nowait((travelled, data))
            await delivering
        finally:
            delivering.cancel()

    def travel(
        self, connection: Connection, *, up: bool, first: bool = False, end: bool = False
    ) -> asyncio.Future[None]:
        """Done when a piece that arrived now has come to the other end.

        ``first`` are a connection's first bytes, which pay for its handshake; ``end`` is its end,
        for which nobody waits.
        """
        del up, end
        loop, now = asyncio.get_running_loop(), time.monotonic()
        sent = max(now, connection.opened + self.round_trip_s) if first else now
        done: asyncio.Future[None] = loop.create_future()
        wait = sent + self.round_trip_s / 2 - now
        if wait > 0:
            loop.call_later(wait, _settle, done)
        else:
            done.set_result(None)
        return done


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(_CHUNK)
    except OSError:
        return b""


def _upward(connection: Connection, size: int, now: float) -> None:
    connection.first_byte = connection.first_byte or now
    connection.last_byte = now
    connection.asked = True
    connection.up += size


def _downward(connection: Connection, size: int, now: float) -> None:
    connection.last_byte = now
    connection.trips += connection.asked
    connection.asked = False
    connection.down += size


async def _deliver(
    queue: asyncio.Queue[tuple[asyncio.Future[None], bytes]], writer: asyncio.StreamWriter
) -> None:
    """Write each piece when it has travelled, in order."""
    while True:
        travelled, data = await queue.get()
        await travelled
        try:
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(data)
            await writer.drain()
        except OSError:
            return


class _Questions(asyncio.DatagramProtocol):
    """Each question gets a socket of its own to the name server, so that answers find back."""

    def __init__(self, relay: Relay, port: int, name: str) -> None:
        self._relay, self._port, self._name = relay, port, name
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Python 3.11's own datagram transport is no subclass of what it implements.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        task = asyncio.get_running_loop().create_task(self._ask(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, data: bytes, peer: tuple[str, int]) -> None:
        loop, now = asyncio.get_running_loop(), time.monotonic()
        connection = Connection(to=self._name, opened=now, first_byte=now, up=len(data), trips=1)
        self._relay.connections.append(connection)
        await self._relay.travel(connection, up=True)
        answered: asyncio.Future[bytes] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Answer(answered), remote_addr=(_LOOPBACK, self._port)
        )
        try:
            transport.sendto(data)
            async with asyncio.timeout(30):
                reply = await answered
        except (TimeoutError, OSError):
            return
        finally:
            transport.close()
        await self._relay.travel(connection, up=False)
        connection.down, connection.closed = len(reply), time.monotonic()
        connection.last_byte = connection.closed
        if self._transport is not None:
            self._transport.sendto(reply, peer)


class _Answer(asyncio.DatagramProtocol):
    def __init__(self, answered: asyncio.Future[bytes]) -> None:
        self._answered = answered

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        del addr
        if not self._answered.done():
            self._answered.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(exc)
