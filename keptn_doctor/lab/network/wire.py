"""Virtual addresses on loopback sockets: who can reach whom, and how it fails when not.

Every listener of the scenario becomes one loopback port per way it can be met (vantage, hop
behaviour, source address). The doctor gets the ports of its own vantage as ``connect_to`` rules;
the simulated clients go through ``open``. An address that no listener has swallows packets:
nothing here ever leaves the loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from keptn_doctor.lab.network.certificates import server_context
from keptn_doctor.lab.network.exchange import Origin
from keptn_doctor.lab.network.loopback import (
    LOOPBACK,
    NO_ROUTE,
    Acceptor,
    BlackHole,
    first_byte,
    port_of,
    refusing,
    reset,
)
from keptn_doctor.lab.network.routes import Route, route
from keptn_doctor.lab.settings import OPERATOR, HopSettings, SimulationSettings
from keptn_doctor.network_settings import ConnectTo

_IDLE_S = 120.0  # the longest a misbehaving connection is kept
_DRIP_S = 0.2
_HANDSHAKE_ROUNDS = 10
_LINGER_S = 2.0
_CHUNK = 65_536
_PLAIN_ON_TLS_PORT = (
    b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s"
)
_PLAIN_ON_TLS_PAGE = (
    b"<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n"
    b"<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"
    b"<center>The plain HTTP request was sent to HTTPS port</center>\r\n"
    b"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_NOBODY = Origin(address="")
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server(Protocol):
    """What can sit behind a listener."""

    def protocol(self) -> asyncio.Protocol: ...


class NoRouteToHostError(OSError):
    """EHOSTUNREACH, which the loopback cannot produce by itself."""


class Wire:
    """The network of one lab; ``close`` ends every connection."""

    def __init__(self, settings: SimulationSettings, *, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._servers: dict[str, Server] = {}
        self._doors: dict[tuple[str, int, str, HopSettings, str], Acceptor] = {}
        self._contexts: dict[tuple[object, bool], ssl.SSLContext] = {}
        self._sources: dict[int, str] = {}  # port of a connecting socket -> address after NAT
        self._clients: dict[int, Origin] = {}  # the same port -> the simulated client behind it
        self._black_hole = BlackHole()
        self._refusing = refusing()

    def serve(self, name: str, server: Server) -> None:
        """Give a name that listeners may use in ``serves`` its server."""
        self._servers[name] = server

    def origin_of(self, peer_port: int) -> Origin:
        """Who is behind the client side port of a connection; to be asked once for each.

        Simulated clients use a connection for one request, and their ports are used again.
        """
        client = self._clients.pop(peer_port, _NOBODY)
        return replace(client, address=self._sources.get(peer_port, LOOPBACK))

    def connect_to(self, vantage: str = OPERATOR) -> tuple[ConnectTo, ...]:
        """Rules for one vantage: its view of every listener, and a black hole for the rest."""
        rules = [ConnectTo(host=host) for host in (LOOPBACK, "localhost", "::1")]
        for listener in self._settings.listeners:
            host, port = self._destination(vantage, listener.address, listener.port)
            rules.append(
                ConnectTo(host=listener.address, port=listener.port, to_host=host, to_port=port)
            )
        rules.append(ConnectTo(to_host=LOOPBACK, to_port=self._black_hole.port))
        return tuple(rules)

    async def open(
        self,
        vantage: str,
        address: str,
        port: int,
        *,
        service: str = "",
        rehearsing: str = "",
        sender: str = "",
    ) -> Stream:
        """A TCP connection from inside a plane.

        Raises:
            TimeoutError: the SYN is never answered; raised at once, the caller knows how long its
                own client would have waited.
            ConnectionRefusedError: nobody listens.
            NoRouteToHostError: a router said so.
        """
        found = route(self._settings, vantage=vantage, address=address, port=port, service=service)
        match found.hop.behaviour:
            case "drop":
                raise TimeoutError(f"{address}:{port} does not answer")
            case "refuse":
                raise ConnectionRefusedError(f"{address}:{port} refused")
            case "no-route":
                raise NoRouteToHostError(f"no route to {address}")
        if found.serves and found.serves not in self._servers:
            raise ConnectionRefusedError(f"{address}:{port} refused: nobody behind it")
        door = self._door(address, port, found)
        reader, writer = await asyncio.open_connection(LOOPBACK, door.port)
        own: tuple[str, int] = writer.get_extra_info("sockname")
        self._clients.pop(own[1], None)
        if rehearsing or sender:
            self._clients[own[1]] = Origin(address="", client=rehearsing, sender=sender)
        return reader, writer

    async def close(self) -> None:
        for door in self._doors.values():
            await door.close()
        self._doors.clear()
        self._black_hole.close()
        self._refusing.close()

    def _destination(self, vantage: str, address: str, port: int) -> tuple[str, int]:
        found = route(self._settings, vantage=vantage, address=address, port=port)
        match found.hop.behaviour:
            case "drop":
                return LOOPBACK, self._black_hole.port
            case "refuse":
                return LOOPBACK, port_of(self._refusing)
            case "no-route":
                return NO_ROUTE, port
        if found.serves and found.serves not in self._servers:
            return LOOPBACK, port_of(self._refusing)
        return LOOPBACK, self._door(address, port, found).port

    def _door(self, address: str, port: int, found: Route) -> Acceptor:
        key = (address, port, found.serves, found.hop, found.source)
        door = self._doors.get(key)
        if door is None:
            door = Acceptor(_Connections(self, found).serve)
            self._doors[key] = door
        return door

    def _context(self, found: Route, *, inspected: bool) -> ssl.SSLContext | None:
        if found.tls is None:
            return None
        key = (found.tls, inspected)
        if key not in self._contexts:
            self._contexts[key] = server_context(found.tls, now=self._clock(), inspected=inspected)
        return self._contexts[key]

    async def hand_over(self, sock: socket.socket, found: Route, *, inspected: bool) -> None:
        """Give a connection to its server, TLS included; from here on it lives by itself."""
        peer: tuple[str, int] = sock.getpeername()
        self._sources[peer[1]] = found.source
        factory = self._servers[found.serves].protocol
        context = self._context(found, inspected=inspected)
        if found.tls is not None and found.tls.client_certificate_required and context is not None:
            await _demand_certificate(sock, context)
            return
        with contextlib.suppress(ssl.SSLError, ConnectionError, TimeoutError):
            # A failed handshake is the client's finding, not the lab's failure.
            await asyncio.get_running_loop().connect_accepted_socket(
                factory,
                sock,
                ssl=context,
                ssl_handshake_timeout=10 if context is not None else None,
            )

    async def inner(self, found: Route, source: str, *, peer_port: int) -> Stream:
        """A well-behaved connection to the same server, for hops that change its bytes.

        ``peer_port`` is the port of whoever connected to the hop: it is passed on who that is.
        """
        client = self._clients.pop(peer_port, None)
        plain = Route(
            hop=HopSettings(),
            serves=found.serves,
            tls=found.tls,
            source=source,
            sniff=found.tls is not None,
        )
        door = self._door("inner", 0, plain)
        reader, writer = await asyncio.open_connection(LOOPBACK, door.port)
        own: tuple[str, int] = writer.get_extra_info("sockname")
        self._clients.pop(own[1], None)
        if client is not None:
            self._clients[own[1]] = client
        return reader, writer


async def _demand_certificate(sock: socket.socket, context: ssl.SSLContext) -> None:
    """A handshake with a client that has no certificate, down to the alert that ends it.

    asyncio's own server closes without sending the alert, and the client would see a bare EOF.
    """
    loop = asyncio.get_running_loop()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_side=True)
    for _ in range(_HANDSHAKE_ROUNDS):
        try:
            session.do_handshake()
        except ssl.SSLWantReadError:
            await loop.sock_sendall(sock, outgoing.read())
            incoming.write(await loop.sock_recv(sock, _CHUNK))
        except ssl.SSLError:
            break
        else:
            break
    await loop.sock_sendall(sock, outgoing.read())
    sock.shutdown(socket.SHUT_WR)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while await loop.sock_recv(sock, _CHUNK):
                pass
    sock.close()


class _Connections:
    """What one door does to the connections that it accepts."""

    def __init__(self, wire: Wire, found: Route) -> None:
        self._wire = wire
        self._route = found
        self._count = itertools.count(1)

    async def serve(self, sock: socket.socket) -> None:
        hop = self._route.hop
        behaviour = hop.behaviour if next(self._count) % hop.every == 0 else "open"
        if hop.latency_ms:
            await asyncio.sleep(hop.latency_ms / 1000)
        if self._route.sniff:
            async with asyncio.timeout(_IDLE_S):
                first = await first_byte(sock)
            if not first:
                sock.close()
                return
            is_tls = first == b"\x16"
            if not self._acts_on(sock, is_tls=is_tls):
                behaviour = "open"
            if behaviour == "open" and self._route.tls is not None and not is_tls:
                await self._answer_plain(sock)
                return
        await self._behave(sock, behaviour)

    def _acts_on(self, sock: socket.socket, *, is_tls: bool) -> bool:
        if self._route.hop.on == "any":
            return True
        if is_tls != (self._route.hop.on == "tls"):
            return False
        if not self._route.only_for:
            return True
        hello = sock.recv(4096, socket.MSG_PEEK)
        return any(name.encode() in hello for name in self._route.only_for)

    async def _behave(self, sock: socket.socket, behaviour: str) -> None:
        match behaviour:
            case "open" | "resign":
                await self._wire.hand_over(sock, self._route, inspected=behaviour == "resign")
            case "reset":
                reset(sock)
            case "close":  # FIN first: closing with unread data would send RST
                sock.shutdown(socket.SHUT_WR)
                await self._swallow(sock)
            case "reset-after-client-hello":
                async with asyncio.timeout(_IDLE_S):
                    await first_byte(sock)
                reset(sock)
            case "drip" | "cut":
                await self._pump(sock, behaviour)
            case _:  # silent, half-open, and what cannot be undone after accept
                await self._swallow(sock)

    async def _swallow(self, sock: socket.socket) -> None:
        """Read until the peer has had enough, and say nothing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_IDLE_S):
                while await asyncio.get_running_loop().sock_recv(sock, _CHUNK):
                    pass
        sock.close()

    async def _answer_plain(self, sock: socket.socket) -> None:
        """What nginx says to plain HTTP on its TLS port."""
        loop = asyncio.get_running_loop()
        await loop.sock_recv(sock, _CHUNK)
        page = _PLAIN_ON_TLS_PORT % (len(_PLAIN_ON_TLS_PAGE), _PLAIN_ON_TLS_PAGE)
        await loop.sock_sendall(sock, page)
        sock.close()

    async def _pump(self, sock: socket.socket, behaviour: str) -> None:
        async with asyncio.timeout(_IDLE_S):
            first = await first_byte(sock)  # by now a simulated client has said who it is
        if not first:
            sock.close()
            return
        peer: tuple[str, int] = sock.getpeername()
        reader, writer = await asyncio.open_connection(sock=sock)
        far_reader, far_writer = await self._wire.inner(
            self._route, self._route.source, peer_port=peer[1]
        )
        up = asyncio.create_task(_copy(reader, far_writer))
        try:
            async with asyncio.timeout(_IDLE_S):
                if behaviour == "cut":
                    await _copy(far_reader, writer, limit=self._route.hop.after_bytes)
                else:
                    await _copy(far_reader, writer, chunk=1, pause_s=_DRIP_S)
        except (TimeoutError, ConnectionError):
            pass
        finally:
            up.cancel()
            for end in (writer, far_writer):
                end.close()


async def _copy(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    chunk: int = _CHUNK,
    pause_s: float = 0.0,
    limit: int | None = None,
) -> None:
    sent = 0
    while limit is None or sent < limit:
        data = await reader.read(chunk if limit is None else min(chunk, limit - sent))
        if not data:
            break
        writer.write(data)
        await writer.drain()
        sent += len(data)
        if pause_s:
            await asyncio.sleep(pause_s)
