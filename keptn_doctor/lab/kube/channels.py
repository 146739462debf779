"""Port-forward as ``v4.channel.k8s.io`` websocket messages.

Framing (kubelet ``cri/streaming/portforward/websocket.go``): a binary message starts with one byte,
the channel; port *i* has the data channel 2i and the error channel 2i+1, and the server opens each
with the port as two bytes, little endian. One TCP connection per port and websocket; when the pod
closes it, the websocket ends.
"""

from __future__ import annotations

import asyncio
import struct

from aiohttp import WSMsgType, web

from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.forwarding import connect, copy_out, refused_text

CHANNELS = "v4.channel.k8s.io"


class _Session:
    def __init__(self, call: Call, ports: tuple[int, ...]) -> None:
        self._call = call
        self._ports = ports
        self._socket = web.WebSocketResponse(protocols=(CHANNELS,), max_msg_size=0)
        # What the client sends before the pod has answered waits for this writer.
        loop = asyncio.get_running_loop()
        self._writers: list[asyncio.Future[asyncio.StreamWriter | None]] = [
            loop.create_future() for _ in ports
        ]

    async def run(self) -> web.WebSocketResponse:
        await self._socket.prepare(self._call.request)
        try:
            await self._announce()
            inward = asyncio.create_task(self._copy_in())
            outward = asyncio.gather(*(self._serve(i, p) for i, p in enumerate(self._ports)))
            try:
                await asyncio.wait((inward, outward), return_when=asyncio.FIRST_COMPLETED)
            finally:
                inward.cancel()
                outward.cancel()
                await asyncio.gather(inward, outward, return_exceptions=True)
        except ConnectionError:
            pass  # the client went away while a message was being written
        finally:
            self._close_pods()
            await self._socket.close()
        return self._socket

    async def _announce(self) -> None:
        for index, port in enumerate(self._ports):
            for channel in (2 * index, 2 * index + 1):
                await self._socket.send_bytes(bytes([channel]) + struct.pack("<H", port))

    async def _serve(self, index: int, port: int) -> None:
        try:
            reader, writer = await connect(self._call, port)
        except OSError as error:
            self._writers[index].set_result(None)
            text = refused_text(port, self._call.target.name, error)
            await self._socket.send_bytes(bytes([2 * index + 1]) + text.encode())
            return
        self._writers[index].set_result(writer)
        data = bytes([2 * index])
        await copy_out(reader, lambda block: self._socket.send_bytes(data + block))

    async def _copy_in(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY or not message.data:
                continue
            index, is_error = divmod(message.data[0], 2)
            if is_error or index >= len(self._writers):
                continue
            writer = await self._writers[index]
            if writer is not None:
                writer.write(message.data[1:])
                await writer.drain()

    def _close_pods(self) -> None:
        for future in self._writers:
            writer = future.result() if future.done() and not future.cancelled() else None
            if writer is not None:
                writer.close()


async def forward_over_channels(call: Call, ports: tuple[int, ...]) -> web.StreamResponse:
    """Serve one websocket until either end closes it."""
    return await _Session(call, ports).run()
