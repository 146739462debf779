"""A network in which every connection leads to one port of a pod, by way of the API server.

It lets the Keptn API be asked where the operator's machine has no way to the gateway but a right to
port-forward. What it shows says nothing about the way that the execution planes take.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable

import httpx

from keptn_doctor.probes.network import Network
from keptn_doctor.probes.pod_http import PodTransport
from keptn_doctor.probes.port_forward import PodStream


class ForwardedNetwork(Network):
    """Plain HTTP to one port of one pod; each request opens a stream of its own."""

    def __init__(self, open_stream: Callable[[], Awaitable[PodStream]]) -> None:
        super().__init__()
        self._open_stream = open_stream

    def transport(
        self, *, tls: ssl.SSLContext | None = None, verify: bool = True, proxy: str = ""
    ) -> httpx.AsyncBaseTransport:
        del tls, verify, proxy  # plain HTTP, on the pod's loopback
        return _Forwarded(self._open_stream)


class _Forwarded(httpx.AsyncBaseTransport):
    def __init__(self, open_stream: Callable[[], Awaitable[PodStream]]) -> None:
        self._open_stream = open_stream

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        stream = await self._open_stream()
        try:
            return await PodTransport(stream).handle_async_request(request)
        finally:
            await stream.aclose()
