"""The api-gateway-nginx of one Keptn version: routes, the authentication subrequest, its masks.

Follows the ConfigMap ``api-nginx-config`` of each tag (``templates/api-gateway-nginx.yaml``). What
nginx does not say is said by a component; which one is asked, and what nginx makes of its silence,
is all that happens here. Access and error log are kept, as the pod writes both to its log.
"""

from __future__ import annotations

import asyncio
import heapq
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from keptn_doctor.lab.keptn import backends, nginx, shipyard
from keptn_doctor.lab.keptn.state import KeptnState
from keptn_doctor.lab.network.exchange import Answer, Call, as_text
from keptn_doctor.lab.settings import BackendSettings, Component

_PROXY_TIMEOUT_S = 0.6  # nginx's 60 s, shortened
_MIB = 1024 * 1024
_LOG_LINES = 5000
_LOG_WINDOW = timedelta(minutes=20)  # of generated lines; a log that is read is read from its end
_SHORT_WINDOW = timedelta(seconds=20)
_CRUD = re.compile(r"/v1/project(/[^/]+(/stage(/[^/]+(/service(/[^/]+)?)?)?)?)?/?")

Trouble = Literal["", "down", "hang"]
Timed = tuple[datetime, str]
Lines = Callable[[datetime, datetime], Iterator[Timed]]  # in a window, oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """One location of the configuration."""

    prefix: str
    component: Component
    authenticated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What one client sends all the time: how it is answered, and its lines in the access log."""

    statuses: frozenset[int]
    lines: Lines


class Gateway:
    """One gateway; ``answer`` is its handler."""

    def __init__(self, state: KeptnState, *, clock: Callable[[], datetime]) -> None:
        self.state = state
        self.rehearsed: list[tuple[Call, Answer]] = []
        self.traffic: list[Traffic] = []  # what the simulated clients send all the time
        self._clock = clock
        self._live: deque[Timed] = deque(maxlen=_LOG_LINES)
        self._seen: Counter[str] = Counter()
        self._server = "nginx" if state.version >= (0, 11, 0) else "nginx/1.19.4"
        self._locations = _locations(state)

    async def answer(self, call: Call) -> Answer:
        """Serve one request and write the access log."""
        merged = replace(call, target=_merge_slashes(call.target))
        try:
            reply = await self._route(merged)
        except _AnsweredError as early:
            reply = early.answer
        if call.origin.rehearsal:
            self.rehearsed.append((call, reply))
        elif call.path != "/nginx-health" and not _told_already(call):
            self._live.append((call.at, nginx.access_line(call, reply)))
        return reply.adding({"Server": self._server})

    @property
    def log(self) -> tuple[Timed, ...]:
        """Access and error log of the last minutes, oldest first."""
        return self.log_since(self._clock() - _LOG_WINDOW)

    def log_since(self, since: datetime, *, least_status: int = 0) -> tuple[Timed, ...]:
        """The log from a moment on; lines of clients that are only answered better are left out.

        Lines are made when they are read: a thousand clients write a hundred thousand in an hour.
        """
        now = self._clock()
        since = max(since, now - _LOG_WINDOW)
        live = sorted((line for line in self._live if line[0] >= since), key=lambda line: line[0])
        streams: list[Iterator[Timed]] = [iter(live)]
        streams += [
            traffic.lines(since, now)
            for traffic in self.traffic
            if max(traffic.statuses, default=0) >= least_status
        ]
        return tuple(heapq.merge(*streams, key=lambda line: line[0]))

    def tail(self, count: int, *, since: datetime | None = None) -> tuple[Timed, ...]:
        """At least the last ``count`` lines, as far as there are so many after ``since``."""
        now = self._clock()
        begin = max(since or now - _LOG_WINDOW, now - _LOG_WINDOW)
        span = _SHORT_WINDOW
        while now - span > begin:
            found = self.log_since(now - span)
            if len(found) >= count:
                return found
            span *= 2
        return self.log_since(begin)

    async def component(self, name: Component, call: Call) -> Answer:
        """A component asked directly, past the gateway, as in-cluster clients do."""
        trouble = self._trouble(name)
        if trouble == "hang":
            await asyncio.sleep(_PROXY_TIMEOUT_S)
        return await self._ask(name, call, call.path)

    async def _route(self, call: Call) -> Answer:
        state, path = self.state, call.path
        prefix = "/" + state.settings.prefix_path.strip("/")
        prefix = "" if prefix == "/" else prefix
        if path == "/nginx-health":  # the one location that prefixPath does not move
            return as_text(200, "OK")
        limit = state.settings.body_limit or (5 if state.version >= (0, 16, 0) else 1) * _MIB
        if len(call.body) > limit:
            return self._page(413)
        inside = path.removeprefix(prefix)
        if not path.startswith(prefix + "/") and path != prefix:
            return self._nowhere(call)
        if inside in ("", "/"):
            return nginx.moved(301, f"{call.scheme}://{call.host}{prefix}/bridge/")
        if inside == "/api":
            return nginx.moved(301, f"{call.scheme}://{call.host}{prefix}/api/swagger-ui/")
        if inside.startswith("/bridge"):
            return await self._proxy("bridge", call, inside)
        if not inside.startswith("/api/"):
            return self._nowhere(call)
        return await self._api(call, inside.removeprefix("/api"))

    async def _api(self, call: Call, path: str) -> Answer:
        if path == "/v1/auth":
            forced = replace(call, method="POST", body=b"")
            return await self._proxy("api-service", forced, path)
        for location in self._locations:
            if not path.startswith(location.prefix + "/"):
                continue
            inner = path.removeprefix(location.prefix)
            if inner.startswith("/swagger-ui/"):
                return await self._proxy(location.component, call, inner)
            if _denied(self.state, call, location.prefix, inner):
                return self._page(403)
            refused = await self._authorize(call)
            return refused or await self._proxy(location.component, call, inner)
        return await self._proxy("api-service", call, path)

    async def _authorize(self, call: Call) -> Answer | None:
        """The subrequest: None lets the request through (nginx auth_request module)."""
        trouble = self._trouble("api-service")
        if trouble == "hang":
            await asyncio.sleep(_PROXY_TIMEOUT_S)
        if trouble:
            status = 502 if trouble == "down" else 504
            self._upstream_error(call, "api-service", trouble, "/v1/auth")
        else:
            subrequest = replace(self._forwarded(call), method="POST", body=b"")
            status = backends.authenticate(self.state, subrequest).status
        if status < 300:
            return None
        if status == 401:
            if self.state.version < (0, 19, 0):
                return self._page(401)
            return as_text(401, '{"code":401, "message":"unauthenticated or invalid credentials"}')
        text = f"auth request unexpected status: {status} while sending to client"
        self._error(call, text)
        if self.state.version < (1, 2, 0):
            return self._page(500)
        return as_text(429, '{"code":429, "message":"too many requests"}')

    async def _proxy(self, name: Component, call: Call, path: str) -> Answer:
        trouble = self._trouble(name)
        if trouble == "down":
            self._upstream_error(call, name, trouble, path)
            return self._page(502)
        slow = self._setting(name).slow_ms / 1000 if self._hit(name, "slow") else 0.0
        if trouble == "hang" or slow >= _PROXY_TIMEOUT_S:
            await asyncio.sleep(_PROXY_TIMEOUT_S)
            self._upstream_error(call, name, "hang", path)
            return self._page(504)
        if slow:
            await asyncio.sleep(slow)
        return await self._ask(name, self._forwarded(call), path)

    async def _ask(self, name: Component, call: Call, path: str) -> Answer:
        if path.startswith("/swagger-ui/") and name != "api-service":
            return backends.swagger(self.state, name)
        match name:
            case "api-service":
                return backends.api_service(self.state, call, path)
            case "shipyard-controller":
                return await shipyard.answer(self.state, call, path)
            case "mongodb-datastore":
                return backends.datastore(self.state, call, path)
            case "configuration-service" | "resource-service":
                return await self._resources(call, path)
            case "secret-service":
                return backends.secret_service(self.state, call, path)
            case "statistics-service":
                return backends.statistics_service(self.state, call, path)
            case "bridge":
                return backends.bridge(self.state, call, path)

    async def _resources(self, call: Call, path: str) -> Answer:
        for project in self.state.projects.values():
            if project.upstream == "slow" and f"/project/{project.name}" in path:
                await asyncio.sleep(_PROXY_TIMEOUT_S)
                raise _AnsweredError(self._page(504))
        return backends.resources(self.state, call, path)

    def _forwarded(self, call: Call) -> Call:
        """The headers that the gateway adds upstream."""
        headers = call.headers.copy()
        earlier = headers.get("X-Forwarded-For", "")
        address = call.origin.address
        headers["X-Forwarded-For"] = f"{earlier}, {address}" if earlier else address
        headers["X-Real-IP"] = address
        return replace(call, headers=headers)

    def _setting(self, name: Component) -> BackendSettings:
        for backend in self.state.settings.backends:
            if backend.component == name or {backend.component, name} == _RESOURCE_NAMES:
                return backend
        return BackendSettings(component=name)

    def _trouble(self, name: Component) -> Trouble:
        match self._setting(name).state:
            case "down":
                return "down"
            case "stale-address":
                return "hang"
            case "hang" if self._hit(name, "hang"):
                return "hang"
        return ""

    def _hit(self, name: Component, lever: str) -> bool:
        """Whether this request is one of every n that a lever hits."""
        setting = self._setting(name)
        self._seen[f"{name} {lever}"] += 1
        return self._seen[f"{name} {lever}"] % setting.every == 0

    def _page(self, status: int) -> Answer:
        return nginx.page(status, server=self._server)

    def _nowhere(self, call: Call) -> Answer:
        """No location: nginx looks for a file, and files take no PUT."""
        return self._page(404 if call.method in ("GET", "HEAD", "POST") else 405)

    def _error(self, call: Call, text: str) -> None:
        if not call.origin.rehearsal:
            self._live.append((call.at, nginx.error_line(call, text)))

    def _upstream_error(self, call: Call, name: str, trouble: Trouble, path: str) -> None:
        stale = next(
            (
                b
                for b in self.state.settings.backends
                if b.component == name and b.state == "stale-address"
            ),
            None,
        )
        text = "connect() failed (111: Connection refused) while connecting to upstream"
        if trouble == "hang":
            doing = "connecting to upstream" if stale else "reading response header from upstream"
            text = f"upstream timed out (110: Operation timed out) while {doing}"
        present = self.state.settings.backend_addresses.get(name, "10.96.18.7")
        address = "10.72.5.141" if stale else present
        line = nginx.error_line(call, text, upstream=f"http://{address}:8080{path}")
        self._live.append((call.at, line))


def _told_already(call: Call) -> bool:
    """A poll of a simulated client at work: its lines are among those of ``traffic``."""
    return bool(call.origin.sender) and call.method == "GET"


class _AnsweredError(Exception):
    """An answer found deeper down that ends the request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


_RESOURCE_NAMES = {"configuration-service", "resource-service"}


def _locations(state: KeptnState) -> tuple[Location, ...]:
    """The proxied prefixes under ``/api`` of a version; case counts."""
    found = [
        Location(prefix="/controlPlane", component="shipyard-controller"),
        Location(prefix="/mongodb-datastore", component="mongodb-datastore"),
        Location(prefix="/secrets", component="secret-service"),
        Location(prefix="/statistics", component="statistics-service"),
    ]
    if state.version < (0, 19, 0):
        found.append(Location(prefix="/configuration-service", component="configuration-service"))
    if state.version >= (0, 18, 0):
        found.append(Location(prefix="/resource-service", component="resource-service"))
    return tuple(found)


def _denied(state: KeptnState, call: Call, prefix: str, path: str) -> bool:
    """The ``deny all`` rules of 0.13.0 and later."""
    if state.version < (0, 13, 0):
        return False
    match prefix:
        case "/controlPlane":
            return call.method == "DELETE" and path.endswith("/v1/log")
        case "/mongodb-datastore":
            if path == "/health":
                return True
            return path == "/event" and call.method not in ("GET", "HEAD", "OPTIONS")
        case "/statistics":
            return path == "/v1/event"
        case "/configuration-service" | "/resource-service":
            return _CRUD.fullmatch(path) is not None
    return False


def _merge_slashes(target: str) -> str:
    path, mark, query = target.partition("?")
    return re.sub("/{2,}", "/", path) + mark + query
