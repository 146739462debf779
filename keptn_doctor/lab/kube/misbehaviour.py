"""Faults of the API server itself, chosen by the scenario as data.

They act before authentication, as a broken load balancer or proxy in front of the server would,
except ``truncate``, which cuts the true answer. Nothing here holds a large body in memory.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

from keptn_doctor.lab.kube.negotiation import failure
from keptn_doctor.lab.kube.status import PlainError, unavailable
from keptn_doctor.model.base import Record

Kind = Literal[
    "hang",  # take the request, never answer
    "slow",  # answer correctly, but only after ``seconds``
    "drip",  # send one byte every ``seconds``, without end
    "reset",  # answer with a TCP reset
    "html",  # a login page with ``status`` (default 200) where JSON belongs
    "flood",  # an endless list: ``size`` bytes (default 1 GB), never in memory
    "redirect-loop",  # 302 to the same path
    "too-many-requests",  # 429 with Retry-After ``seconds``, ``times`` times
    "unavailable",  # 503
    "truncate",  # the true answer, broken off in the middle
]

_PAGE = """<!DOCTYPE html>
<html><head><title>Sign in</title></head>
<body><form action="/login" method="post"><input name="user"></form></body></html>
"""
_GIGABYTE = 1_000_000_000
_ITEM = b'{"metadata":{"name":"flood","annotations":{"filler":"' + b"x" * 8_000 + b'"}}},'
_BLOCK = _ITEM * 8

Answer = Callable[[], Awaitable[web.StreamResponse]]


class Misbehaviour(Record, frozen=True, kw_only=True):
    """One fault. It hits requests whose path starts with ``path_prefix``.

    ``times`` bounds how often (None: always); ``methods`` empty means every method. ``seconds`` and
    ``size`` (bytes) and ``status`` mean what the list of kinds says.
    """

    kind: Kind
    path_prefix: str = "/"
    methods: tuple[str, ...] = ()
    times: int | None = None
    seconds: float = 1.0
    size: int = _GIGABYTE
    status: int = 200

    def hits(self, request: web.BaseRequest) -> bool:
        return request.rel_url.path.startswith(self.path_prefix) and (
            not self.methods or request.method in self.methods
        )


class Faults:
    """The misbehaviours of one server and how often each has still to happen."""

    def __init__(self, faults: tuple[Misbehaviour, ...] = ()) -> None:
        self._left: list[tuple[Misbehaviour, int | None]] = [(f, f.times) for f in faults]

    def take(self, request: web.BaseRequest) -> Misbehaviour | None:
        """The first fault that hits this request, counted as done once more."""
        for index, (fault, left) in enumerate(self._left):
            if fault.hits(request) and left != 0:
                self._left[index] = (fault, None if left is None else left - 1)
                return fault
        return None


async def misbehave(
    fault: Misbehaviour, request: web.BaseRequest, true_answer: Answer
) -> web.StreamResponse:
    """Answer a request wrongly."""
    if fault.kind == "hang":
        await asyncio.Event().wait()
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        return await true_answer()
    if fault.kind == "drip":
        return await _drip(request, fault.seconds)
    if fault.kind == "reset":
        return _reset(request)
    if fault.kind == "html":
        return web.Response(status=fault.status, text=_PAGE, content_type="text/html")
    if fault.kind == "flood":
        return await _flood(request, fault.size)
    if fault.kind == "redirect-loop":
        return web.Response(status=302, headers={"Location": str(request.rel_url)})
    if fault.kind == "truncate":
        return await _truncate(request, await true_answer())
    if fault.kind == "too-many-requests":
        # The words of priority and fairness: plain text, not a Status.
        text = "Too many requests, please try again later.\n"
        headers = {"Retry-After": str(max(1, round(fault.seconds)))}
        return failure(PlainError(429, text, headers=headers))
    return failure(unavailable("the server is currently unable to handle the request"))


async def _drip(request: web.BaseRequest, seconds: float) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"kind":"List","items":[')
    while True:
        await response.write(b" ")
        await asyncio.sleep(seconds)


def _reset(request: web.BaseRequest) -> web.StreamResponse:
    transport = request.transport
    if transport is not None:
        peer = transport.get_extra_info("socket")
        # A zero linger time makes the close a reset instead of an orderly end.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)


async def _flood(request: web.BaseRequest, size: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"kind":"List","apiVersion":"v1","metadata":{},"items":[')
    sent = 0
    while sent < size:
        await response.write(_BLOCK)
        sent += len(_BLOCK)
    await response.write(_ITEM[:-1] + b"]}")
    await response.write_eof()
    return response


async def _truncate(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    body = response.body if isinstance(response, web.Response) else None
    if not isinstance(body, bytes):
        return response
    cut = web.StreamResponse(status=response.status, headers=response.headers)
    cut.content_length = len(body)
    await cut.prepare(request)
    await cut.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return cut
