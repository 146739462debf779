"""Port-forward over SPDY/3.1, raw after an HTTP upgrade or inside websocket messages.

kubectl opens two streams per connection, of the same ``requestid``: ``error`` (it closes its side
at once) and ``data``. Many connections share one SPDY session, so a browser can be served through
one port-forward. Source: ``client-go/tools/portforward`` and kubelet ``cri/streaming/portforward``.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from aiohttp import WSMsgType, web

from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.forwarding import connect, copy_out, read_port, refused_text
from keptn_doctor.lab.kube.negotiation import NO_CACHE
from keptn_doctor.lab.kube.spdy import (
    PING,
    RST_STREAM,
    SYN_STREAM,
    Codec,
    Frame,
    SpdyError,
    data_frame,
    ping,
)
from keptn_doctor.lab.kube.status import PlainError, bad_request

SPDY = "spdy/3.1"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
_PROTOCOL = "portforward.k8s.io"
_BLOCK = 65_536
_PENDING = 64


class _Pipe(Protocol):
    async def read(self) -> bytes:
        """The next bytes from the client; empty when it is gone."""
        ...

    async def write(self, data: bytes) -> None: ...


class _SocketPipe:
    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def read(self) -> bytes:
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.BINARY and message.data:
                return bytes(message.data)
            if message.type is not WSMsgType.BINARY:
                return b""

    async def write(self, data: bytes) -> None:
        await self._socket.send_bytes(data)


class _TransportPipe:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        return await self._reader.read(_BLOCK)

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


class _Session:
    def __init__(self, call: Call, pipe: _Pipe) -> None:
        self._call = call
        self._pipe = pipe
        self._codec = Codec()
        self._halves: dict[str, dict[str, int]] = {}
        self._inboxes: dict[int, asyncio.Queue[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        try:
            while data := await self._pipe.read():
                for frame in self._codec.receive(data):
                    await self._take(frame)
        except (SpdyError, ConnectionError, PlainError):
            pass  # the client went away or speaks something else: the session is over
        finally:
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, frame: Frame) -> None:
        if frame.kind == PING:
            await self._pipe.write(ping(frame.payload[:4]))
        elif frame.kind == SYN_STREAM:
            await self._open(frame)
        elif frame.kind == RST_STREAM and frame.stream in self._inboxes:
            await self._inboxes[frame.stream].put(b"")
        elif frame.kind == 0 and frame.stream in self._inboxes:
            inbox = self._inboxes[frame.stream]
            if frame.payload:
                await inbox.put(frame.payload)
            if frame.is_last:
                await inbox.put(b"")

    async def _open(self, frame: Frame) -> None:
        """Take a stream; the second of a pair starts the forward."""
        await self._pipe.write(self._codec.reply(frame.stream))
        number = frame.headers.get("requestid", "")
        kind = frame.headers.get("streamtype", "")
        pair = self._halves.setdefault(number, {})
        pair[kind] = frame.stream
        if kind == "data":
            self._inboxes[frame.stream] = asyncio.Queue(_PENDING)
        if {"data", "error"} <= set(pair):
            port = read_port(frame.headers.get("port", ""))
            del self._halves[number]
            task = asyncio.create_task(self._forward(port, pair["data"], pair["error"]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(self, port: int, data: int, error: int) -> None:
        trouble = b""
        try:
            await self._carry(port, data)
        except ConnectionResetError:
            pass  # the client is gone; the session notices it too
        except OSError as failure:
            trouble = refused_text(port, self._call.target.name, failure).encode()
        finally:
            self._inboxes.pop(data, None)
        last = data_frame(error, trouble, last=True) + data_frame(data, b"", last=True)
        await self._pipe.write(last)

    async def _carry(self, port: int, data: int) -> None:
        reader, writer = await connect(self._call, port)
        inward = asyncio.create_task(self._copy_in(self._inboxes[data], writer))
        try:
            await copy_out(reader, lambda block: self._pipe.write(data_frame(data, block)))
        finally:
            writer.close()  # first: a second cancellation may end the wait below
            inward.cancel()
            await asyncio.gather(inward, return_exceptions=True)

    async def _copy_in(self, inbox: asyncio.Queue[bytes], writer: asyncio.StreamWriter) -> None:
        while block := await inbox.get():
            writer.write(block)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def forward_over_tunnel(call: Call) -> web.StreamResponse:
    """SPDY inside binary websocket messages; message borders mean nothing."""
    socket = web.WebSocketResponse(protocols=(TUNNEL,), max_msg_size=0)
    await socket.prepare(call.request)
    try:
        await _Session(call, _SocketPipe(socket)).run()
    finally:
        await socket.close()
    return socket


async def forward_over_upgrade(call: Call) -> web.StreamResponse:
    """SPDY on the bare connection after ``101 Switching Protocols``.

    aiohttp upgrades to websockets only, so the connection is taken from it for the time of the
    session and given back closed.
    """
    if _PROTOCOL not in call.request.headers.get("X-Stream-Protocol-Version", ""):
        raise bad_request("the lab knows only the stream protocol portforward.k8s.io")
    transport, owner = call.request.transport, call.request.protocol
    if transport is None:
        raise ConnectionResetError
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
    head = f"HTTP/1.1 101 Switching Protocols\r\nCache-Control: {NO_CACHE}\r\n"
    head += "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
    head += f"X-Stream-Protocol-Version: {_PROTOCOL}\r\n\r\n"
    try:
        writer.write(head.encode())
        await _Session(call, _TransportPipe(reader, writer)).run()
    finally:
        transport.set_protocol(owner)
        transport.close()
    return web.Response(status=101)
