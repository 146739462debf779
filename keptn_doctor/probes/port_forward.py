"""Port-forward to a pod: a stream to a port on the pod's own loopback, by way of the API server.

Two protocols exist and the server chooses: ``v4.channel.k8s.io`` (kubelet
``pkg/kubelet/cri/streaming/portforward/websocket.go``) and SPDY/3.1 tunnelled through a websocket
(API servers from 1.30, ``apimachinery/pkg/util/portforward``). One stream per websocket.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import httpx

from keptn_doctor.model.failure import Failure, Phase
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_answers import Answer
from keptn_doctor.probes.port_channels import CHANNELS, ChannelPort, PortRefused
from keptn_doctor.probes.spdy import TUNNEL, SpdyPort

if TYPE_CHECKING:
    from keptn_doctor.probes.websocket import WebSocket

PROTOCOLS = (CHANNELS, TUNNEL)


class PortEnd(Protocol):
    """One way to carry a port's bytes over a websocket."""

    async def open(self, port: int) -> None: ...

    async def read(self) -> bytes | None:
        """Bytes from the pod, None when it is done; raises ``PortRefused``."""
        ...

    async def write(self, data: bytes) -> None: ...


class PodStream:
    """Bytes to and from one port of a pod."""

    def __init__(self, socket: WebSocket, end: PortEnd) -> None:
        self._socket, self._end = socket, end
        self.protocol = socket.protocol

    async def read(self) -> bytes:
        """The next bytes, b"" at the end; raises WorldFault port-forward-failed."""
        try:
            return await self._end.read() or b""
        except PortRefused as refusal:
            raise WorldFault(_refused_inside(str(refusal))) from refusal

    async def write(self, data: bytes) -> None:
        """Send bytes to the pod."""
        await self._end.write(data)

    async def aclose(self) -> None:
        """End the forward; the process in the pod sees its connection closed."""
        await self._socket.aclose()


async def open_port(
    http: httpx.AsyncClient,
    path: str,
    port: int,
    *,
    protocols: tuple[str, ...] = (),
    refused: Callable[[Answer], Failure | None],
) -> PodStream:
    """Forward one port, over a connection of ``http`` that is closed with the stream.

    An API server that cannot make sense of two offers is asked again for the older protocol.

    Raises:
        WorldFault: what ``refused`` says, or kube/port-forward-failed.
    """

    def failure(answer: Answer) -> Failure:
        known = refused(answer)
        if known and (known.phase == "auth" or known.code in _SPEAK_FOR_THEMSELVES):
            return known
        said = known.detail if known else f"answered {answer.status} instead of 101"
        return _failed("kube", said, answer.status)

    async def attempt(offered: tuple[str, ...]) -> WebSocket:
        from keptn_doctor.probes.websocket import open_websocket  # noqa: PLC0415 - wsproto, 10 ms

        params = {"ports": str(port)}
        return await open_websocket(http, path, params=params, protocols=offered, refused=failure)

    offered = protocols or PROTOCOLS
    try:
        socket = await attempt(offered)
    except WorldFault as error:
        if len(offered) == 1 or error.failure.status != 400:
            raise
        socket = await attempt((CHANNELS,))
    end: PortEnd = ChannelPort(socket) if socket.protocol == CHANNELS else SpdyPort(socket)
    try:
        await end.open(port)
    except BaseException:
        await socket.aclose()
        raise
    return PodStream(socket, end)


_SPEAK_FOR_THEMSELVES = ("not-found", "rate-limited", "resource-not-served")


def _refused_inside(said: str) -> Failure:
    """Phase connect: the way to the pod works and its port does not take connections."""
    inside = "refused" in said or "failed to connect" in said
    return _failed("connect" if inside else "kube", said, 0)


def _failed(phase: Phase, said: str, status: int) -> Failure:
    line = " ".join(said.split())[:240]
    return Failure(phase=phase, code="port-forward-failed", detail=line, status=status)
