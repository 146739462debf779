"""One HTTP request and its answer inside the lab, and the server that puts them on a socket.

Gateways, fronts and components are functions from a ``Call`` to an ``Answer`` and can be chained
without sockets in between; only the edge is aiohttp. A ``Call`` remembers the address it came from
(after NAT) and whether it belongs to a client's rehearsal (see ``client.py``).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

MAX_BODY = 64 * 1024 * 1024
_SHUTDOWN_S = 0.05  # requests that hang on purpose are not waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a connection comes from: the address that the far end sees, and on whose behalf."""

    address: str
    client: str = ""  # subject of the simulated client that rehearses, "" for live traffic
    sender: str = ""  # subject of the simulated client that is at work, "" for everybody else

    @property
    def rehearsal(self) -> bool:
        return bool(self.client)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as some hop sees it. ``target`` is the path with its query, not decoded."""

    method: str
    target: str
    headers: CIMultiDictProxy[str] | CIMultiDict[str]
    body: bytes = b""
    scheme: str = "http"
    origin: Origin
    at: datetime

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def host(self) -> str:
        return self.headers.get("Host", "")

    def json(self) -> Any:
        """The body as JSON; None when it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response; header names as sent."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def adding(self, headers: Mapping[str, str]) -> Answer:
        return Answer(
            status=self.status,
            body=self.body,
            content_type=self.content_type,
            headers={**self.headers, **headers},
        )


Handler = Callable[[Call], Awaitable[Answer]]


def as_json(status: int, value: object) -> Answer:
    return Answer(
        status=status,
        body=json.dumps(value, separators=(",", ":")).encode(),
        content_type="application/json; charset=utf-8",
    )


def as_error(status: int, message: str, *, code: int | None = None) -> Answer:
    """Keptn's error body."""
    return as_json(status, {"code": status if code is None else code, "message": message})


def as_text(status: int, text: str, *, content_type: str = "text/plain") -> Answer:
    return Answer(status=status, body=text.encode(), content_type=content_type)


class HttpServer:
    """An aiohttp server for one handler, used as a protocol factory for ready sockets."""

    def __init__(
        self,
        handler: Handler,
        *,
        origin_of: Callable[[int], Origin],
        clock: Callable[[], datetime],
    ) -> None:
        self._handler = handler
        self._origin_of = origin_of
        self._clock = clock
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(middlewares=[self._everything], client_max_size=MAX_BODY)
        app.on_response_prepare.append(_only_own_headers)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S
        )
        await self._runner.setup()

    def protocol(self) -> asyncio.Protocol:
        """A protocol for one accepted connection."""
        if self._runner is None or self._runner.server is None:
            raise RuntimeError("the server was not started")
        protocol: asyncio.Protocol = self._runner.server()
        return protocol

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _everything(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        del handler  # no route is ever matched: every path is the lab's own business
        peer = request.transport.get_extra_info("peername") if request.transport else None
        call = Call(
            method=request.method,
            target=request.raw_path,
            headers=request.headers,
            body=await request.read(),
            scheme=request.scheme,
            origin=self._origin_of(peer[1] if peer else 0),
            at=self._clock(),
        )
        answer = await self._handler(call)
        response = to_response(answer)
        response.headers["Date"] = format_datetime(self._clock().astimezone(UTC), usegmt=True)
        return response


class _Response(web.Response):
    """A response that knows which headers are its own."""

    own: frozenset[str] = frozenset()
    typed: bool = True


def to_response(answer: Answer) -> web.Response:
    """An aiohttp response with the answer's headers and no others but Date and the framing."""
    response = _Response(status=answer.status, body=answer.body)
    if answer.content_type:
        response.headers["Content-Type"] = answer.content_type
    else:
        response.headers.pop("Content-Type", None)
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.own = frozenset(name.lower() for name in answer.headers)
    response.typed = bool(answer.content_type)
    return response


async def _only_own_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Take out what aiohttp adds of itself: its name as Server and a guessed type."""
    if not isinstance(response, _Response):
        return
    if "server" not in response.own:
        response.headers.pop("Server", None)
    if not response.typed:
        response.headers.pop("Content-Type", None)
