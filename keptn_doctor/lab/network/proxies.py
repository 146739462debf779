"""Egress HTTP proxies: CONNECT for https, absolute-form requests for http.

A proxy resolves names itself and opens connections under its own vantage's rules, so a plane whose
packets are dropped can still get out through one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable
from fnmatch import fnmatch
from urllib.parse import urlsplit

from keptn_doctor.lab.clients.go_errors import GoError
from keptn_doctor.lab.clients.go_resolver import Resolver
from keptn_doctor.lab.network.exchange import Origin
from keptn_doctor.lab.network.wire import Stream, Wire
from keptn_doctor.lab.settings import ProxySettings

PROXY_VANTAGE = "egress-proxy"

_HEAD_S = 10.0
_TUNNEL_S = 120.0
_CHUNK = 65_536
_BAD_GATEWAY = b"HTTP/1.1 503 Service Unavailable\r\nServer: squid/5.7\r\nContent-Length: 0\r\n\r\n"
_DENIED = b"HTTP/1.1 403 Forbidden\r\nServer: squid/5.7\r\nContent-Length: 0\r\n\r\n"
_AUTHENTICATE = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\nServer: squid/5.7\r\n"
    b'Proxy-Authenticate: Basic realm="proxy"\r\nContent-Length: 0\r\n\r\n'
)
_CREDENTIALS = "Basic " + base64.b64encode(b"proxy:lab").decode()


class EgressProxy:
    """One proxy; ``protocol`` serves one connection."""

    def __init__(
        self,
        settings: ProxySettings,
        *,
        wire: Wire,
        resolver: Resolver,
        origin_of: Callable[[int], Origin],
    ) -> None:
        self._settings = settings
        self._wire = wire
        self._resolver = resolver
        self._origin_of = origin_of
        self._tasks: set[asyncio.Task[None]] = set()

    def protocol(self) -> asyncio.Protocol:
        reader = asyncio.StreamReader()
        return asyncio.StreamReaderProtocol(reader, self._connected)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_S):
                head = await reader.readuntil(b"\r\n\r\n")
            await self._request(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()

    async def _request(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        method, target, rest = head.split(b" ", 2)
        if self._settings.needs_authentication and _CREDENTIALS.encode() not in head:
            writer.write(_AUTHENTICATE)
            return
        tunnel = method == b"CONNECT"
        parts = urlsplit(f"//{target.decode()}" if tunnel else target.decode())
        host, port = parts.hostname or "", parts.port or 80
        if self._refuses(host, port):
            writer.write(_DENIED)
            return
        far = await self._far_end(host, port, writer)
        if far is None:
            writer.write(_BAD_GATEWAY)
            return
        far_reader, far_writer = far
        if tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            far_writer.write(method + b" " + path.encode() + b" " + rest)
        await _both_ways((reader, writer), (far_reader, far_writer))

    def _refuses(self, host: str, port: int) -> bool:
        settings = self._settings
        if any(fnmatch(host, pattern) for pattern in settings.denied_hosts):
            return True
        return bool(settings.allowed_ports) and port not in settings.allowed_ports

    async def _far_end(self, host: str, port: int, writer: asyncio.StreamWriter) -> Stream | None:
        peer = writer.get_extra_info("peername")
        origin = self._origin_of(peer[1] if peer else 0)
        try:
            address = (await self._resolver.addresses(host))[0]
            return await self._wire.open(
                self._settings.vantage or PROXY_VANTAGE,
                address,
                port,
                rehearsing=origin.client,
                sender=origin.sender,
            )
        except (GoError, OSError):
            return None


async def _both_ways(near: Stream, far: Stream) -> None:
    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                writer.write(data)
                await writer.drain()
        writer.close()

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TUNNEL_S):
            await asyncio.gather(copy(near[0], far[1]), copy(far[0], near[1]))
