"""A small GET through a forwarded port: the pod's own loopback as just another network.

It reuses ``probes.http``, so an answer from inside is recorded in the very form of one from
outside, and the two can be laid side by side.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable
from typing import NoReturn

import httpcore
import httpx

from keptn_doctor.probes.failures import WorldFault, classify
from keptn_doctor.probes.http import Ask, Exchange, ask
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.port_forward import PodStream
from keptn_doctor.redact import Redactor
from keptn_doctor.secret import Secret

_MOST_BYTES = 1 << 20


async def http_get_over(
    stream: PodStream | PodTransport,
    path: str,
    *,
    port: int,
    token: Secret | None = None,
    deadline_s: float = 10.0,
    redactor: Redactor | None = None,
) -> Exchange:
    """GET ``http://localhost:<port><path>`` over an open stream; redirects are an answer.

    A stream serves one request; a transport as many as the process in the pod is willing to answer.

    ``token`` goes into the header x-token; without it the pod's own process adds its own.

    Raises:
        WorldFault: port-forward-failed, or a code of phase http.
    """
    how = Ask(token=token, deadline_s=deadline_s, most_bytes=_MOST_BYTES, most_redirects=0)
    url = f"http://localhost:{port}{path}"
    transport = stream if isinstance(stream, PodTransport) else PodTransport(stream)
    return await ask(_PodNetwork(transport), url, how, redactor=redactor)


class _PodNetwork(Network):
    """A network in which every connection is the one stream."""

    def __init__(self, transport: PodTransport) -> None:
        super().__init__()
        self._transport = transport

    def transport(
        self, *, tls: ssl.SSLContext | None = None, verify: bool = True, proxy: str = ""
    ) -> httpx.AsyncBaseTransport:
        del tls, verify, proxy  # plain HTTP on the pod's loopback
        return self._transport


class PodTransport(httpx.AsyncBaseTransport):
    """Requests over one stream, whatever host they are meant for; plain HTTP/1.1.

    With ``keep`` the process is not told to hang up after its answer.
    """

    def __init__(self, stream: PodStream, *, keep: bool = False) -> None:
        self._closing = [] if keep else [(b"Connection", b"close")]
        origin = httpcore.Origin(b"http", b"localhost", 80)
        self._connection = httpcore.AsyncHTTP11Connection(origin, stream=_Wire(stream))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        core = httpcore.Request(
            request.method,
            httpcore.URL(  # the connection checks its origin; the Host header stays
                scheme="http", host="localhost", port=80, target=request.url.raw_path
            ),
            headers=[*request.headers.raw, *self._closing],
            content=await request.aread(),
        )
        try:
            answer = await self._connection.handle_async_request(core)
            try:
                content = await _body(answer.stream)
            finally:
                await answer.aclose()
            return httpx.Response(
                answer.status,
                headers=answer.headers,
                content=content,
                extensions={"reason_phrase": answer.extensions.get("reason_phrase", b"")},
            )
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            _give_up(error)

    @property
    def is_idle(self) -> bool:
        """Whether another request may follow: the last answer was read and nobody hung up."""
        return self._connection.is_idle()

    async def aclose(self) -> None:
        """The stream belongs to the caller."""


async def _body(stream: object) -> bytes:
    assert isinstance(stream, AsyncIterable)
    body = bytearray()
    async for part in stream:
        body += part
        if len(body) > _MOST_BYTES:
            break  # ``ask`` reports it as too large
    return bytes(body)


def _give_up(error: Exception) -> NoReturn:
    failure = classify(error, phase="http")
    if failure is None:
        raise error
    raise WorldFault(failure) from error


class _Wire(httpcore.AsyncNetworkStream):
    """A PodStream as httpcore wants it; deadlines are the caller's."""

    def __init__(self, stream: PodStream) -> None:
        self._stream = stream
        self._left = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        del timeout
        data = self._left or await self._stream.read()
        self._left = data[max_bytes:]
        return data[:max_bytes]

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        del timeout
        if buffer:
            await self._stream.write(buffer)

    async def aclose(self) -> None:
        """The stream belongs to the caller."""

    def get_extra_info(self, info: str) -> object:
        del info
        return None
