"""A GET through a distributor's own API proxy: the service's path, taken by the service itself.

The proxy listens on the pod's loopback only, so the way in is port-forward. Same process, endpoint,
token, TLS and proxy settings as the service's polls. ``/event`` is never asked: it writes.
Source: ``distributor/pkg/lib/events/forwarder.go@0.8.7``, ``distributor/pkg/forwarder@0.16.2``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Literal
from urllib.parse import quote

import msgspec

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import LocalApiAnswer
from keptn_doctor.model.path_facts import HttpAnswer
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.http import Exchange
from keptn_doctor.probes.keptn_api import OPEN_EVENTS, REGISTRATION
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pod_http import PodTransport, http_get_over
from keptn_doctor.probes.port_forward import PodStream
from keptn_doctor.redact import Redactor

_POLLABLE = re.compile(r"^sh\.keptn\.event\.[a-zA-Z0-9-]+\.triggered$")
_ANY_TYPE = "sh.keptn.event.keptn-doctor.triggered"
_MOST_IDS = 500
_REJECTED = 401
_MORE_TRIES = 2
_AT_ONCE_MS = 2000.0
_HUNG_UP = frozenset({"connection-reset", "truncated", "protocol-error", "port-forward-failed"})


class _Listed(msgspec.Struct):
    id: str | None = None


def pollable(topics: tuple[str, ...]) -> str:
    """A topic of the service that can be polled, or one that nobody uses."""
    return next((topic for topic in topics if _POLLABLE.match(topic)), _ANY_TYPE)


async def ask_local_api(
    kube: KubeClient,
    namespace: str,
    pod: str,
    *,
    port: int,
    topic: str,
    deadline_s: float,
    redactor: Redactor,
    only_name: str = "",
) -> LocalApiAnswer:
    """List the registrations and poll once for ``topic``, both through the pod's own proxy.

    ``only_name`` asks for the integrations of that name alone: where there are very many, a list of
    all of them for each service would be more than all else that a run reads. (``name`` is a
    parameter since there is such a list: ``shipyard-controller/models/uniform.go@0.8.4``.)
    A rejected token is not tried a second time: each try takes a turn of the control plane's
    limiter away from others (``api/middleware/ratelimiter.go``). Where nobody is reached, and that
    is known at once, the poll is tried again: a way that breaks now and then is not a dead one.
    Raises WorldFault when the pod's port cannot be reached.
    """

    async def ask_poll() -> HttpAnswer | Failure:
        try:
            return (await door.get(OPEN_EVENTS + topic)).answer
        except WorldFault as fault:
            return fault.failure

    door = _Door(
        lambda: kube.port_forward(namespace, pod, port),
        lambda way, path: http_get_over(
            way, path, port=port, deadline_s=deadline_s, redactor=redactor
        ),
    )
    try:
        query = f"?name={quote(only_name, safe='')}" if only_name else ""
        registration = await door.get(REGISTRATION + query)
        poll: HttpAnswer | Failure | None = None
        if registration.answer.status != _REJECTED:
            poll = await ask_poll()
            for _ in range(_MORE_TRIES):
                if not (_failed_at_once(registration.answer) and _failed_at_once(poll)):
                    break
                poll = await ask_poll()
    finally:
        await door.aclose()
    listed = _listed(registration)
    ids = tuple(item.id for item in listed or () if item.id)
    return LocalApiAnswer(
        pod=pod,
        port=port,
        registration=registration.answer,
        poll=poll,
        origin=origin_of(registration.answer),
        integrations=ids[:_MOST_IDS],
        listed=None if listed is None else len(listed),
        only_name=only_name,
    )


class _Door:
    """A forwarded port that is left open from one answer to the next request, if the pod lets it.

    Each way in costs the API server, the kubelet and this process a connection of its own.
    """

    def __init__(
        self,
        forward: Callable[[], Awaitable[PodStream]],
        ask: Callable[[PodTransport, str], Awaitable[Exchange]],
    ) -> None:
        self._forward, self._ask = forward, ask
        self._stream: PodStream | None = None
        self._way: PodTransport | None = None

    async def get(self, path: str) -> Exchange:
        """One answer; a process that hung up on an idle line is asked again on another."""
        if self._way is not None and self._way.is_idle:
            try:
                return await self._ask(self._way, path)
            except WorldFault as fault:
                if fault.failure.status or fault.failure.code not in _HUNG_UP:
                    raise
        await self.aclose()
        self._stream = await self._forward()
        self._way = PodTransport(self._stream, keep=True)
        return await self._ask(self._way, path)

    async def aclose(self) -> None:
        """Shut it."""
        stream, self._stream, self._way = self._stream, None, None
        if stream is not None:
            await stream.aclose()


def _failed_at_once(answer: HttpAnswer | Failure) -> bool:
    """The distributor reached nobody and did not have to wait long to know it."""
    return (
        isinstance(answer, HttpAnswer)
        and origin_of(answer) == "distributor"
        and answer.elapsed_ms < _AT_ONCE_MS
    )


def origin_of(answer: HttpAnswer) -> Literal["keptn", "gateway", "other", "distributor"]:
    """Who spoke: the distributor alone, when it reached nobody, answers 500 with nothing at all."""
    if answer.status == 500 and answer.body == "empty" and not answer.server:
        return "distributor"
    if answer.body == "json":
        return "keptn"
    named_nginx = answer.server.startswith("nginx")
    return "gateway" if named_nginx or "nginx" in answer.title.lower() else "other"


def _listed(exchange: Exchange) -> list[_Listed] | None:
    if exchange.answer.status != 200:
        return None
    try:
        return msgspec.json.decode(exchange.content, type=list[_Listed])
    except msgspec.MsgspecError:
        return None
