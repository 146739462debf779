"""As much SPDY/3.1 as carries one forwarded port through a websocket tunnel.

Kubernetes never uses flow control, priorities or pushed streams, so neither does this. The names
and values of a SYN_STREAM are deflated without the protocol's preset dictionary, which RFC 1950
allows and Go's zlib accepts; the headers of answers mean nothing here and stay compressed.

Source: SPDY Protocol - Draft 3.1 (framing); kubelet
``pkg/kubelet/cri/streaming/portforward/httpstream.go`` (streams and their headers).
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from keptn_doctor.probes.port_channels import PortRefused

if TYPE_CHECKING:
    from keptn_doctor.probes.websocket import WebSocket

TUNNEL = "SPDY/3.1+portforward.k8s.io"
_SYN_STREAM, _RST_STREAM, _PING, _GOAWAY = 1, 3, 6, 7
_FIN = 0x01
_CONTROL = 0x80000000 | 3 << 16
_ERRORS, _DATA = 1, 3  # stream ids of a client are odd
_MAX_FRAME = 1 << 24


class SpdyPort:
    """One port: an error stream and a data stream of one request."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._deflate = zlib.compressobj()
        self._received = bytearray()
        self._complaint = bytearray()  # of the kubelet, on the error stream
        self._ended = False

    async def open(self, port: int) -> None:
        """Open both streams; the error stream is closed on our side at once, as kubectl does."""
        common = {"port": str(port), "requestid": "0"}
        errors = self._syn_stream(_ERRORS, {"streamtype": "error", **common}, _FIN)
        data = self._syn_stream(_DATA, {"streamtype": "data", **common}, 0)
        await self._socket.send(errors)
        await self._socket.send(data)

    async def read(self) -> bytes | None:
        while not self._ended:
            frame = await self._frame()
            if frame is None:
                break
            first, flags, body = frame
            if first & 0x80000000:
                await self._take_control(first & 0xFFFF, body)
            elif first == _DATA:
                self._ended = bool(flags & _FIN)
                if body:
                    return body
            elif first == _ERRORS:
                self._complaint += body
        if self._complaint:
            raise PortRefused(self._complaint.decode(errors="replace"))
        return None

    async def write(self, data: bytes) -> None:
        await self._socket.send(struct.pack(">II", _DATA, len(data)) + data)

    async def _take_control(self, kind: int, body: bytes) -> None:
        if kind == _PING:
            await self._socket.send(struct.pack(">II", _CONTROL | _PING, len(body)) + body)
        if kind == _GOAWAY:
            self._ended = True
        if kind == _RST_STREAM and len(body) >= 8:
            stream, status = struct.unpack(">II", body[:8])
            if stream & 0x7FFFFFFF == _DATA:
                self._ended = True
                self._complaint += b"" if self._complaint else b"stream reset, status %d" % status

    async def _frame(self) -> tuple[int, int, bytes] | None:
        while True:
            if len(self._received) >= 8:
                first, rest = struct.unpack(">II", self._received[:8])
                flags, length = rest >> 24, rest & (_MAX_FRAME - 1)
                if len(self._received) >= 8 + length:
                    body = bytes(self._received[8 : 8 + length])
                    del self._received[: 8 + length]
                    return first, flags, body
            message = await self._socket.receive()
            if message is None:
                return None
            self._received += message

    def _syn_stream(self, stream: int, headers: dict[str, str], flags: int) -> bytes:
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            block += struct.pack(">I", len(name)) + name.encode()
            block += struct.pack(">I", len(value)) + value.encode()
        packed = self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        body = struct.pack(">IIH", stream, 0, 0) + packed
        return struct.pack(">II", _CONTROL | _SYN_STREAM, flags << 24 | len(body)) + body
