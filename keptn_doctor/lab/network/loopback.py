"""Sockets on the loopback that misbehave on purpose.

The kernel gives most of it for nothing: a bound socket that does not listen refuses, a listener
whose queue is full swallows SYNs, the loopback's broadcast address has no route for TCP.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Awaitable, Callable

LOOPBACK = "127.0.0.1"
NO_ROUTE = "127.255.255.255"  # TCP to a broadcast address: ENETUNREACH on Linux

_FILLERS = 4  # one fills a queue of length 0, the others wait in vain


def listener(*, backlog: int = 128) -> socket.socket:
    """A non-blocking listening socket on a free port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind((LOOPBACK, 0))
    sock.listen(backlog)
    sock.setblocking(False)
    return sock


def refusing() -> socket.socket:
    """A socket that holds a port on which connections are refused."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind((LOOPBACK, 0))
    return sock


def port_of(sock: socket.socket) -> int:
    name: tuple[str, int] = sock.getsockname()
    return name[1]


def reset(sock: socket.socket) -> None:
    """Close with RST instead of FIN."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    finally:
        sock.close()


class BlackHole:
    """A port whose SYNs stay unanswered: its queue is full and nobody accepts."""

    def __init__(self) -> None:
        self._listener = listener(backlog=0)
        self.port = port_of(self._listener)
        self._fillers: list[socket.socket] = []
        for _ in range(_FILLERS):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            if filler.connect_ex((LOOPBACK, self.port)) not in (0, errno.EINPROGRESS):
                filler.close()
                continue
            self._fillers.append(filler)

    def close(self) -> None:
        for sock in (*self._fillers, self._listener):
            sock.close()


async def first_byte(sock: socket.socket) -> bytes:
    """Wait for data and look at its first byte without taking it; b"" when the peer closed."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(sock)
    return sock.recv(1, socket.MSG_PEEK)


class Acceptor:
    """Accepts on one port and hands each raw connection to ``serve``; bounded by its own close."""

    def __init__(self, serve: Callable[[socket.socket], Awaitable[None]]) -> None:
        self._serve = serve
        self._socket = listener()
        self.port = port_of(self._socket)
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:  # the peer gave up between SYN and accept
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._run(connection))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _run(self, connection: socket.socket) -> None:
        try:
            await self._serve(connection)
        except (OSError, EOFError):  # the peer is gone: its business
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise

    async def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=1)
