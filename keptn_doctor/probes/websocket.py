"""A websocket on top of httpx: same TLS, proxy and credentials as every other call.

httpx hands out the raw stream after a 101 answer, wsproto speaks the frames (RFC 6455). Only what
port-forward needs is here: binary messages both ways, pings answered, an orderly close.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from collections.abc import Callable
from typing import NoReturn

import httpcore
import httpx
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from keptn_doctor.model.failure import Failure
from keptn_doctor.probes.failures import WorldFault, fault
from keptn_doctor.probes.kube_answers import Answer, read_answer

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_READ = 65536
_MAX_REFUSAL = 64 * 1024
_CLOSED = (httpcore.NetworkError, httpcore.TimeoutException, OSError)


class WebSocket:
    """An open websocket; ``protocol`` is the subprotocol that the server chose."""

    def __init__(self, response: httpx.Response, protocol: str) -> None:
        self.protocol = protocol
        self._response = response
        self._stream: httpcore.AsyncNetworkStream = response.extensions["network_stream"]
        self._frames = Connection(ConnectionType.CLIENT)
        self._pending = bytearray()  # of a message that came in several frames
        self._messages: list[bytes] = []
        self._closed = False

    async def send(self, message: bytes) -> None:
        """Send one binary message."""
        await self._write(self._frames.send(BytesMessage(data=message)))

    async def receive(self) -> bytes | None:
        """The next message, None at the end of the connection."""
        while not self._messages and not self._closed:
            data = await self._stream.read(_READ)
            if not data:
                self._closed = True
                break
            self._frames.receive_data(data)
            await self._take_events()
        return self._messages.pop(0) if self._messages else None

    async def aclose(self) -> None:
        """Say goodbye without waiting for an answer, and close the connection."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(*_CLOSED):
                await self._write(self._frames.send(CloseConnection(code=1000)))
        await self._response.aclose()

    async def _take_events(self) -> None:
        for event in self._frames.events():
            match event:
                case BytesMessage() | TextMessage():
                    self._take_part(event)
                case Ping():
                    await self._write(self._frames.send(event.response()))
                case CloseConnection():
                    self._closed = True
                    with contextlib.suppress(*_CLOSED):
                        await self._write(self._frames.send(event.response()))

    def _take_part(self, event: BytesMessage | TextMessage) -> None:
        data = event.data
        self._pending += data.encode() if isinstance(data, str) else data
        if event.message_finished:
            self._messages.append(bytes(self._pending))
            self._pending.clear()

    async def _write(self, data: bytes) -> None:
        await self._stream.write(data)


async def open_websocket(
    http: httpx.AsyncClient,
    path: str,
    *,
    params: dict[str, str],
    protocols: tuple[str, ...],
    refused: Callable[[Answer], Failure],
) -> WebSocket:
    """Upgrade a GET to a websocket.

    Raises:
        WorldFault: ``refused`` of an answer other than 101, or http/protocol-error when the
            server's half of the handshake is wrong. httpx's exceptions pass through.
    """
    key = base64.b64encode(os.urandom(16))
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": key.decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": ", ".join(protocols),
    }
    request = http.build_request("GET", path, params=params, headers=headers)
    response = await http.send(request, stream=True)
    try:
        if response.status_code != 101:
            _refuse(refused(await read_answer(response, _MAX_REFUSAL)))
        return WebSocket(response, _chosen(response, key, protocols))
    except BaseException:
        await response.aclose()
        raise


def _refuse(failure: Failure) -> NoReturn:
    raise WorldFault(failure)


def _chosen(response: httpx.Response, key: bytes, protocols: tuple[str, ...]) -> str:
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()  # noqa: S324 - RFC 6455
    if response.headers.get("sec-websocket-accept") != accept:
        raise fault("http", "protocol-error", "the server's half of the handshake is wrong")
    protocol: str = response.headers.get("sec-websocket-protocol", "")
    if protocol not in protocols:
        raise fault("http", "protocol-error", "the server chose a protocol that was not offered")
    return protocol
