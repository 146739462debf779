"""The HTTPS server: reads a request, identifies and authorizes its user, hands it to a handler."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from datetime import UTC
from email.utils import format_datetime
from types import TracebackType
from typing import Self

from aiohttp import web

from keptn_doctor.lab.kube.authentication import authenticate
from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.cluster import Cluster
from keptn_doctor.lab.kube.discovery import discovery_answer
from keptn_doctor.lab.kube.dispatch import dispatch
from keptn_doctor.lab.kube.health import health_answer, unknown_path, version_document
from keptn_doctor.lab.kube.misbehaviour import Faults, Misbehaviour, misbehave
from keptn_doctor.lab.kube.negotiation import answer, failure, negotiate
from keptn_doctor.lab.kube.openapi import openapi_answer
from keptn_doctor.lab.kube.paths import Target, parse_path, verb_of
from keptn_doctor.lab.kube.pods import NoPods, PodBackend
from keptn_doctor.lab.kube.rbac import Attributes, authorize, refusal
from keptn_doctor.lab.kube.selectors import parse_fields, selected_name
from keptn_doctor.lab.kube.status import (
    ApiError,
    PlainError,
    method_not_allowed,
    no_such_resource,
    page_not_found,
)
from keptn_doctor.lab.kube.users import User
from keptn_doctor.model.base import Record

_REMEMBERED = 20_000


class Served(Record, frozen=True, kw_only=True):
    """A request that the server answered, for tests that ask what a run has done.

    ``status`` is 0 while a stream is open and for an answer that was broken off. ``began`` and
    ``ended`` are ``time.monotonic()``, ``size`` counts the bytes of an answer's body.
    """

    method: str
    path: str
    query: str
    user: str
    verb: str
    status: int
    began: float = 0.0
    ended: float = 0.0
    size: int = 0


class KubeApiServer:
    """A Kubernetes API on ``https://127.0.0.1:PORT`` while it is entered.

    ``served`` holds the last requests, ``hit`` paths and moments of those that met a misbehaviour.
    ``ssl_context`` is a server context, for instance from ``tls.server_context``.
    """

    def __init__(
        self,
        cluster: Cluster,
        pods: PodBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
        *,
        misbehaviours: tuple[Misbehaviour, ...] = (),
        port: int = 0,
    ) -> None:
        self.cluster = cluster
        self.pods: PodBackend = pods if pods is not None else NoPods()
        self.served: deque[Served] = deque(maxlen=_REMEMBERED)
        self.hit: deque[tuple[str, float]] = deque(maxlen=_REMEMBERED)
        self.port = port
        self._ssl_context = ssl_context
        self._faults = Faults(misbehaviours)
        self._runner: web.ServerRunner | None = None
        self._tasks: set[asyncio.Task[object]] = set()

    @property
    def url(self) -> str:
        scheme = "http" if self._ssl_context is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._ssl_context)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    def misbehave(self, *misbehaviours: Misbehaviour) -> None:
        """Replace the faults from now on; without any the server behaves again."""
        self._faults = Faults(misbehaviours)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            fault = self._faults.take(request)
            if fault is None:
                return await self._serve(request)
            self.hit.append((request.rel_url.path, time.monotonic()))
            return await misbehave(fault, request, lambda: self._serve(request))
        finally:
            if task is not None:
                self._tasks.discard(task)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        target = parse_path(request.rel_url.raw_path)
        verb = verb_of(request.method, target, request.query)
        user, status, size, began = "", 0, 0, time.monotonic()
        try:
            known = authenticate(self.cluster, request)
            user = known.name
            response = await self._answer(request, target, verb, known)
            status, size = response.status, _size(response)
        except (ApiError, PlainError) as error:
            response, status = failure(error), error.code
        finally:
            served = Served(
                method=request.method,
                path=request.rel_url.path,
                query=request.rel_url.query_string,
                user=user,
                verb=verb,
                status=status,
                began=began,
                ended=time.monotonic(),
                size=size,
            )
            self.served.append(served)
        if not response.prepared:
            now = self.cluster.now().astimezone(UTC)
            response.headers["Date"] = format_datetime(now, usegmt=True)
        return response

    async def _answer(
        self, request: web.BaseRequest, target: Target, verb: str, user: User
    ) -> web.StreamResponse:
        self._authorize(request, target, verb, user)
        if not target.resource:
            return self._plain_path(request, target)
        catalogue = self.cluster.catalogue
        resource = catalogue.find(target.group, target.version, target.resource)
        if resource is None:
            raise no_such_resource() if catalogue.has_group(target.group) else page_not_found()
        call = Call(
            cluster=self.cluster,
            pods=self.pods,
            request=request,
            user=user,
            target=target,
            resource=resource,
            verb=verb,
        )
        return await dispatch(call)

    def _authorize(self, request: web.BaseRequest, target: Target, verb: str, user: User) -> None:
        path = "" if target.resource else target.path
        wanted = Attributes(
            verb=verb,
            group=target.group,
            resource=target.resource,
            subresource=target.subresource,
            namespace=target.namespace,
            name=target.name or self._name_selected(request, target),
            path=path,
        )
        if not authorize(self.cluster, user, wanted).allowed:
            raise refusal(user, wanted)

    def _name_selected(self, request: web.BaseRequest, target: Target) -> str:
        resource = self.cluster.catalogue.find(target.group, target.version, target.resource)
        selector = request.query.get("fieldSelector", "")
        if resource is None or not selector:
            return ""
        try:
            return selected_name(parse_fields(selector, resource))
        except ApiError:
            return ""  # the handler complains about it once the user is allowed

    def _plain_path(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        found = self._document(request, target.path)
        if found is None:
            return unknown_path(self.cluster.generation)
        if request.method not in {"GET", "HEAD"}:
            raise method_not_allowed()
        return found

    def _document(self, request: web.BaseRequest, path: str) -> web.Response | None:
        generation = self.cluster.generation
        accept = request.headers.get("Accept", "")
        if path.rstrip("/") == "/version":
            media = negotiate(accept, generation).media
            return answer(version_document(generation, self.cluster.build), media=media)
        health = health_answer(path, generation, verbose="verbose" in request.query)
        if health is not None:
            return health
        discovery = discovery_answer(self.cluster, path, accept, f"127.0.0.1:{self.port}")
        return openapi_answer(self.cluster, path) if discovery is None else discovery


def _size(response: web.StreamResponse) -> int:
    body = response.body if isinstance(response, web.Response) else None
    return len(body) if isinstance(body, bytes) else 0
