"""One forwarded port as ``v4.channel.k8s.io`` messages, the older of the two protocols.

Source: kubelet ``pkg/kubelet/cri/streaming/portforward/websocket.go``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keptn_doctor.probes.websocket import WebSocket

CHANNELS = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1


class PortRefused(Exception):  # noqa: N818 - it is not an error of ours
    """The kubelet's word on why it could not connect inside the pod."""


class ChannelPort:
    """``v4.channel.k8s.io``: a message is one channel byte and bytes of that channel.

    Port 0 of the request has channel 0 for data and 1 for errors; each channel first says the port
    number, two bytes little endian.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._announced: set[int] = set()

    async def open(self, port: int) -> None:
        """Nothing to say: the query names the port."""

    async def read(self) -> bytes | None:
        while (message := await self._socket.receive()) is not None:
            if not message:
                continue
            channel, content = message[0], message[1:]
            if channel not in self._announced:
                self._announced.add(channel)
                content = content[struct.calcsize("<H") :]
            if channel == _ERROR and content:
                raise PortRefused(content.decode(errors="replace"))
            if channel == _DATA and content:
                return content
        return None

    async def write(self, data: bytes) -> None:
        await self._socket.send(bytes([_DATA]) + data)
