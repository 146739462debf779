"""The ports of a client's pod, live: the distributor's API proxy, health endpoints, the service.

The proxy really forwards, with the client's own process settings: its endpoint, token, TLS and
proxy rules. Sources: ``distributor/pkg/lib/events/forwarder.go`` @0.8.7, @0.13.6,
``distributor/pkg/forwarder/forwarder.go`` @0.16.2, go-utils ``healthCheck.go``.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from multidict import CIMultiDict

from keptn_doctor.lab.clients import go_errors
from keptn_doctor.lab.clients.calls import Caller
from keptn_doctor.lab.clients.go_errors import FOREVER, GoError
from keptn_doctor.lab.clients.go_http import Reply, Request, send
from keptn_doctor.lab.clients.log import Timed, logrus
from keptn_doctor.lab.clients.rules import boolean, whole
from keptn_doctor.lab.network.exchange import Answer, Call, Handler, HttpServer, Origin, as_text
from keptn_doctor.lab.network.loopback import LOOPBACK, Acceptor
from keptn_doctor.lab.network.wire import Stream

_SCALE = 100
_HANGS_S = 120.0
_HOP_BY_HOP = frozenset({"connection", "content-length", "transfer-encoding", "date", "keep-alive"})
_IN_CLUSTER = {
    "/controlPlane": "shipyard-controller:8080",
    "/mongodb-datastore": "mongodb-datastore:8080",
    "/configuration-service": "configuration-service:8080",
    "/resource-service": "resource-service:8080",
}
_HEALTHY = as_text(200, '{"status":"OK"}', content_type="application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """Something that listens in a pod; ``public``: on the pod's address, not on loopback alone."""

    number: int
    public: bool
    handler: Handler


class OpenPort:
    """A port with a real listener on the lab's loopback; made on first use."""

    def __init__(
        self, port: Port, *, alive: Callable[[], bool], clock: Callable[[], datetime]
    ) -> None:
        self.number = port.number
        self.public = port.public
        self._alive = alive
        self._server = HttpServer(
            port.handler, origin_of=lambda _: Origin(address=LOOPBACK), clock=clock
        )
        self._acceptor: Acceptor | None = None

    async def open(self) -> Stream:
        """A connection, as port-forward makes it from inside the pod.

        Raises:
            ConnectionRefusedError: the container does not run.
        """
        if not self._alive():
            raise ConnectionRefusedError(f"nothing listens on port {self.number}")
        if self._acceptor is None:
            await self._server.start()
            self._acceptor = Acceptor(self._serve)
        return await asyncio.open_connection(LOOPBACK, self._acceptor.port)

    async def close(self) -> None:
        if self._acceptor is not None:
            await self._acceptor.close()
            await self._server.close()

    async def _serve(self, sock: socket.socket) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(self._server.protocol, sock)


def ports_of(
    caller: Caller, *, registered: Callable[[], bool], log: Callable[[Timed], None]
) -> tuple[Port, ...]:
    """What listens in the pod of a client.

    Args:
        caller: the client's calls.
        registered: whether the process is registered (an SDK service's readiness).
        log: where lines go that live calls cause.
    """
    if caller.rules.kind == "sdk":
        return _sdk_ports(caller, registered)
    env = caller.env
    found = [
        Port(
            number=whole(env.get("API_PROXY_PORT"), default=8081),
            public=False,
            handler=_ApiProxy(caller, log).answer,
        )
    ]
    if caller.rules.version < (0, 11, 0):
        found.append(Port(number=10999, public=True, handler=_always_healthy))
    service = caller.settings.service
    if service.listens_on:
        found.append(Port(number=service.listens_on, public=True, handler=_always_healthy))
    return tuple(found)


def _sdk_ports(caller: Caller, registered: Callable[[], bool]) -> tuple[Port, ...]:
    if boolean(caller.env.get("HEALTH_ENDPOINT_ENABLED"), default=True) is False:
        return ()

    async def health(call: Call) -> Answer:
        if call.path != "/health":
            return as_text(404, "404 page not found\n")
        return Answer(status=200 if registered() else 412)

    number = whole(caller.env.get("HEALTH_ENDPOINT_PORT"), default=8080)
    return (Port(number=number, public=True, handler=health),)


async def _always_healthy(call: Call) -> Answer:
    return _HEALTHY if call.path == "/health" else Answer(status=200)


class _ApiProxy:
    """The distributor's local port: health, event intake, and the way to the control plane."""

    def __init__(self, caller: Caller, log: Callable[[Timed], None]) -> None:
        self._caller = caller
        self._log = log

    async def answer(self, call: Call) -> Answer:
        rules = self._caller.rules
        if call.path == "/health" and rules.version >= (0, 11, 0):
            return _HEALTHY
        if call.path == self._caller.env.get("EVENT_FORWARDING_PATH", "/event"):
            return await self._forward_event(call)
        target = self._target(call)
        if not target:
            suffix = " of 'proxyScheme' or 'proxyHost'" if rules.version >= (0, 11, 0) else ""
            self._write("error", f"Could not get proxy Host URL - got empty values{suffix}")
            return Answer(status=500)
        if rules.talks:
            self._write("info", f"Incoming request: host=, path={call.path}, URL={call.target}")
            self._write(
                "info",
                f"Forwarding request to host={urlsplit(target).netloc}, "
                f"path={urlsplit(target).path}, URL={target}",
            )
        try:
            reply = await self._send(call, target)
        except GoError as error:
            if error.took_s == FOREVER:
                await asyncio.sleep(_HANGS_S)
            await asyncio.sleep(error.took_s / _SCALE if error.took_s >= 1 else 0)
            self._write("error", f"Could not send request to API endpoint: {error.text}")
            return Answer(status=500)
        if rules.talks:
            self._write("info", f"Received response from API: Status={reply.status}")
        return _copied(reply)

    def _target(self, call: Call) -> str:
        """The URL that a path stands for; "" when its prefix is not proxied by this version."""
        prefix = next((p for p in self._caller.rules.proxied if call.target.startswith(p)), "")
        if not prefix:
            return ""
        rest = call.target.removeprefix(prefix)
        endpoint = self._caller.endpoint
        if not endpoint:
            return f"http://{_IN_CLUSTER[prefix]}{rest}"
        if "://" not in endpoint:
            return ""
        return endpoint.rstrip("/") + prefix + rest

    async def _send(self, call: Call, target: str) -> Reply:
        caller = self._caller
        headers = [
            (name, value)
            for name, value in call.headers.items()
            if name.lower() not in {"host", *_HOP_BY_HOP}
        ]
        token = caller.env.get("KEPTN_API_TOKEN", "")
        if token:  # added after the caller's own: the first value counts at api-service
            if go_errors.has_forbidden_characters(token):
                text = go_errors.header_text(token, caller.rules.go)
                raise GoError(go_errors.wrapped(call.method, target, text))
            headers.append(("X-Token", token))
        if caller.bearer:
            headers.append(("Authorization", f"Bearer {caller.bearer}"))
        return await send(
            caller.place,
            caller.rules.polling,
            Request(method=call.method, url=target, headers=tuple(headers), body=call.body),
            rehearsing=False,
        )

    async def _forward_event(self, call: Call) -> Answer:
        caller = self._caller
        limit = whole(caller.env.get("API_PROXY_MAX_PAYLOAD_BYTES_KB"), default=64) * 1024
        if caller.rules.version >= (0, 17, 0) and len(call.body) > limit:
            self._write("error", "Failed to read body from request: http: request body too large")
            return Answer(status=500)
        if not caller.endpoint:
            return Answer(status=200)
        try:
            reply = await self._send(call, f"{caller.endpoint.rstrip('/')}/v1/event")
        except GoError as error:
            self._write("error", f"Failed to forward CloudEvent: {error.text}")
            return Answer(status=500)
        if reply.status >= 300:
            text = f"error with status code {reply.status}"
            self._write("error", f"Failed to forward CloudEvent: {text}")
            return Answer(status=500)
        return Answer(status=200)

    def _write(self, level: str, text: str) -> None:
        now = self._caller.place.clock()
        self._log((now, logrus(now, level, text)))


def _copied(reply: Reply) -> Answer:
    """The far end's answer; its headers are passed on, whatever they are."""
    headers: CIMultiDict[str] = CIMultiDict(
        (name, value)
        for name, value in reply.headers
        if name.lower() not in {*_HOP_BY_HOP, "content-type"}
    )
    return Answer(
        status=reply.status,
        body=reply.body,
        headers=headers,
        content_type=reply.header("Content-Type"),
    )
