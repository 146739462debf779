"""Reads one Kubernetes API over httpx: narrow, paged, bounded, and read-only.

The generated clients of the ``kubernetes`` package are not used: their models reject real objects,
cost 140 MiB, and know neither whole-call deadlines nor a failure vocabulary. Every method raises
``WorldFault`` for the world's faults; a request that would write raises ``ReadOnlyViolation``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from keptn_doctor.model.failure import Failure
from keptn_doctor.network_settings import Deadlines, NetworkSettings
from keptn_doctor.probes.at_work import AtWork, standing_still
from keptn_doctor.probes.failures import WorldFault, classify, fault
from keptn_doctor.probes.http import retry_after_s
from keptn_doctor.probes.kube_access import ClusterAccess
from keptn_doctor.probes.kube_answers import (
    Answer,
    decode,
    decode_items,
    failure_of,
    not_json,
    read_answer,
)
from keptn_doctor.probes.kube_objects import VersionInfo
from keptn_doctor.probes.kube_rules import Rule, rule_of
from keptn_doctor.probes.kube_wire import open_http
from keptn_doctor.probes.port_forward import PodStream, open_port
from keptn_doctor.probes.probe_pod_manifest import RUN_LABEL
from keptn_doctor.probes.retry import retrying
from keptn_doctor.probes.stopwatch import request, spending
from keptn_doctor.probes.turns import Turns

T = TypeVar("T")
Params = Mapping[str, str | int | bool]

PAGE = 500
IN_FLIGHT = 5  # httpx spends 3 ms of processor time on a request; more in flight gains nothing
_MAX_PAGES = 60
_MAX_BODY = 64 * 1024 * 1024
_LOG_LINES = 5000
_LOG_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[T]):
    """A list as far as it could be read."""

    items: tuple[T, ...]
    malformed: int = 0  # objects that could not be read, and are not among the items
    truncated: bool = False  # there was more than this client reads
    read_at: datetime | None = None  # the API server's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class LogText:
    """The end of a container's log; every line starts with its RFC 3339 time."""

    text: str
    truncated: bool = False
    read_at: datetime | None = None  # the API server's clock


class _Page(msgspec.Struct):
    class Meta(msgspec.Struct):
        continued: str | None = msgspec.field(default=None, name="continue")

    metadata: Meta | None = None
    items: msgspec.Raw = msgspec.Raw(b"null")


class KubeClient:
    """One API server, as one user. ``gaps`` says what no caller can see from a list alone.

    ``at_work`` bounds the requests of all clusters of a run; ``number`` says which comes first.
    ``proven`` are the rights that were seen to be there, or not to be, by their wording.

    Whoever has knocked gets no answer to anything else before saying ``go_on``.
    """

    def __init__(
        self,
        access: ClusterAccess,
        *,
        deadlines: Deadlines | None = None,
        network: NetworkSettings | None = None,
        active: bool = False,
        at_work: AtWork | None = None,
        number: int = 0,
        in_flight: int = IN_FLIGHT,
    ) -> None:
        self.access = access
        self.deadlines = deadlines or Deadlines()
        self.server_time: datetime | None = None  # of the newest answer
        self.requests = 0
        self.proven: dict[str, bool] = {}
        self.gaps: dict[str, str] = {}  # what lists left out, by path: "3 malformed objects"
        self._http = open_http(
            access, deadlines=self.deadlines, network=network or NetworkSettings(), active=active
        )
        self._limit, self._in_flight = Turns(in_flight), in_flight
        self._at_work, self.number = at_work or AtWork(), number
        self._knock: asyncio.Task[VersionInfo | Failure] | None = None
        self._held_back = asyncio.Event()

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Room for a request: at this server, and in this process."""
        own_doing = standing_still() if self._in_flight < IN_FLIGHT else contextlib.nullcontext()
        with own_doing, spending("waiting"):
            await self._limit.acquire()
        try:
            with spending("waiting"):
                place = await self._at_work.begin(self.number)
            try:
                yield
            finally:
                place.end()
        finally:
            self._limit.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections, those of port-forwards included."""
        if self._knock is not None and not self._knock.done():
            self._knock.cancel()
            await asyncio.wait({self._knock})
        await self._http.aclose()

    async def knock(self) -> VersionInfo | Failure:
        """What the server tells everybody, asked once; a server that does not tell it is silent.

        Other requests may be made meanwhile, and their connections opened with that of this one;
        what is answered to them is held back until somebody who knows this says ``go_on``.
        """
        if self._knock is None:
            self._knock = asyncio.ensure_future(self._version())
        return await asyncio.shield(self._knock)

    def go_on(self) -> None:
        """Hold no more answers back."""
        self._held_back.set()

    async def _version(self) -> VersionInfo | Failure:
        try:
            return await self.get("/version", VersionInfo)
        except WorldFault as error:
            return error.failure

    async def get(self, path: str, kind: type[T], params: Params | None = None) -> T:
        """One object as ``kind``, a msgspec Struct with every field optional.

        ``path`` is absolute, e.g. ``/api/v1/namespaces/kube-system``.
        """
        return decode(await self.send("GET", path, params=params), kind)

    async def list(
        self, path: str, item_type: type[T], params: Params | None = None
    ) -> tuple[T, ...]:
        """The items of ``listing``."""
        return (await self.listing(path, item_type, params)).items

    async def listing(
        self, path: str, item_type: type[T], params: Params | None = None
    ) -> Listing[T]:
        """All objects under a path, page by page; starts again once when a page is too old."""
        try:
            found = await self._pages(path, item_type, params)
        except WorldFault as error:
            if error.failure.code != "gone":
                raise
            found = await self._pages(path, item_type, params)
        if found.malformed:
            self.gaps[path] = f"{found.malformed} malformed objects were passed over"
        if found.truncated:
            self.gaps[path] = f"only the first {len(found.items)} objects were read"
        return found

    async def _pages(self, path: str, item_type: type[T], params: Params | None) -> Listing[T]:
        items: list[T] = []
        malformed, token = 0, ""
        for _ in range(_MAX_PAGES):
            query = {**(params or {}), "limit": PAGE, **({"continue": token} if token else {})}
            answer = await self.send("GET", path, params=query, verb="list")
            try:
                page = msgspec.json.decode(answer.body, type=_Page)
            except msgspec.ValidationError as error:
                raise fault("parse", "unexpected-shape", f"{path} is no list") from error
            except msgspec.DecodeError as error:
                raise not_json(answer) from error
            try:
                read, odd = decode_items(page.items, item_type)
            except msgspec.MsgspecError as error:
                raise fault("parse", "unexpected-shape", f"{path} is no list") from error
            items += read
            malformed += odd
            token = (page.metadata and page.metadata.continued) or ""
            if not token:
                break
        return Listing(
            items=tuple(items),
            malformed=malformed,
            truncated=bool(token),
            read_at=self.server_time,
        )

    async def logs(
        self,
        namespace: str,
        pod: str,
        container: str = "",
        *,
        previous: bool = False,
        since_s: float | None = None,
        max_lines: int = _LOG_LINES,
    ) -> LogText:
        """The newest lines of a container's log, at most ``max_lines`` and 4 MiB."""
        params: dict[str, str | int | bool] = {"timestamps": True, "tailLines": max_lines}
        if container:
            params["container"] = container
        if previous:
            params["previous"] = True
        if since_s is not None:
            params["sinceSeconds"] = max(1, int(since_s))
        path = f"{pod_path(namespace, pod)}/log"
        try:
            answer = await self.send("GET", path, params=params, cut_at=_LOG_BYTES)
        except WorldFault as error:
            raise _log_fault(error, previous=previous) from error
        text = answer.body.decode(errors="replace")
        return LogText(
            text=text,
            truncated=answer.truncated or text.count("\n") >= max_lines,
            read_at=answer.read_at,
        )

    async def pod_proxy(self, namespace: str, pod: str, port: int, path: str) -> Answer:
        """GET a path of a pod by way of the API server, whatever status the pod answers with.

        Raises WorldFault when the API server refuses, or cannot reach the pod.
        """
        target = f"{pod_path(namespace, pod)}:{port}/proxy/{path.lstrip('/')}"
        answer = await self._answer("GET", target, params=None, body=None, cut_at=_MAX_BODY)
        failure = failure_of(answer, right=str(rule_of("get", target)))
        if failure and (failure.phase == "auth" or failure.code in ("not-found", "server-error")):
            if b"error trying to reach service" in answer.body[:500]:
                raise fault("connect", "connection-refused", f"nothing listens on {port} of {pod}")
            if b'"kind":"Status"' in answer.body.replace(b" ", b"")[:200]:
                raise WorldFault(failure)
        return answer

    async def port_forward(
        self, namespace: str, pod: str, port: int, *, protocols: tuple[str, ...] = ()
    ) -> PodStream:
        """A stream to a port of a pod, on the pod's own loopback; close it after use."""
        path = f"{pod_path(namespace, pod)}/portforward"
        right = str(Rule(verb="create", resource="pods/portforward", namespace=namespace))
        limit = self.deadlines.kube_s
        try:
            async with self._place(), asyncio.timeout(limit):
                self.requests += 1
                with request():
                    return await open_port(
                        self._http,
                        path,
                        port,
                        protocols=protocols,
                        refused=lambda answer: self._failure(answer, right),
                    )
        except TimeoutError as error:
            raise self._late(limit) from error
        except (httpx.HTTPError, OSError) as error:
            raise self._unreachable(error) from error

    async def allowed(self, rule: Rule, *, name: str = "") -> bool:
        """Ask whether this user may do it, to one object by name or to any.

        Source: SelfSubjectAccessReview, authorization.k8s.io/v1.
        """
        group, resource, subresource = rule.parts()
        attributes = {
            "verb": rule.verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "namespace": rule.namespace,
            "name": name,
        }
        attributes = {key: value for key, value in attributes.items() if value}
        answer = await self._review("SelfSubjectAccessReview", {"resourceAttributes": attributes})
        return answer.get("allowed") is True

    async def rules_in(self, namespace: str) -> dict[str, Any]:
        """The ``status`` of a SelfSubjectRulesReview: all rules that hold in one namespace."""
        return await self._review("SelfSubjectRulesReview", {"namespace": namespace})

    async def _review(self, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
        """The ``status`` of a review, empty when there is none."""
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
        path = f"/apis/authorization.k8s.io/v1/{kind.lower()}s"
        answer = decode(await self.send("POST", path, body=body), dict[str, Any])
        status = answer.get("status")
        return status if isinstance(status, dict) else {}

    async def create_pod(self, namespace: str, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create a probe pod; only in an active run, and only with the label of its run."""
        labels = (manifest.get("metadata") or {}).get("labels") or {}
        if not labels.get(RUN_LABEL):
            raise ValueError(f"a probe pod must carry the label {RUN_LABEL}")
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"
        return decode(await self.send("POST", path, body=manifest), dict[str, Any])

    async def delete_pod(self, namespace: str, name: str, *, uid: str = "") -> None:
        """Delete a pod of ours; one without the label of a run is never touched.

        ``uid`` is that of a pod which this client created: it needs no look at its labels.
        """
        path = pod_path(namespace, name)
        if not uid:
            metadata = (await self.get(path, dict[str, Any])).get("metadata") or {}
            if not (metadata.get("labels") or {}).get(RUN_LABEL):
                raise ValueError(f"pod {namespace}/{name} was not made by keptn-doctor")
            uid = str(metadata.get("uid") or "")
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": uid},
        }
        await self.send("DELETE", path, body=body)

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: dict[str, Any] | None = None,
        verb: str = "",
        cut_at: int = 0,
    ) -> Answer:
        """One exchange, retried by class; a status other than 2xx raises WorldFault.

        ``cut_at`` makes a longer body shorter; without it a body over 64 MiB is a fault.
        """
        right = str(rule_of(verb or _VERBS.get(method, "get"), path))

        async def once() -> Answer:
            answer = await self._in_order(
                self._answer(method, path, params=params, body=body, cut_at=cut_at)
            )
            failure = self._failure(answer, right)
            if failure is None or failure.code == "forbidden":
                self.proven[right] = failure is None
            if failure:
                raise WorldFault(
                    failure,
                    retry_after_s=retry_after_s(answer.header("retry-after"), answer.read_at),
                )
            return answer

        if method != "GET":
            return await once()
        return await retrying(once)

    async def _in_order(self, asking: Awaitable[Answer]) -> Answer:
        """What is answered, or the fault, but not before ``go_on`` where somebody has knocked."""
        try:
            answer = await asking
        except WorldFault:
            await self._not_held_back()
            raise
        await self._not_held_back()
        return answer

    async def _not_held_back(self) -> None:
        if self._knock is not None and asyncio.current_task() is not self._knock:
            await self._held_back.wait()

    async def _answer(
        self,
        method: str,
        path: str,
        *,
        params: Params | None,
        body: dict[str, Any] | None,
        cut_at: int,
    ) -> Answer:
        limit, status = self.deadlines.kube_s, 0
        try:
            async with self._place(), asyncio.timeout(limit):  # httpx limits single reads only
                self.requests += 1
                with request():
                    async with self._http.stream(
                        method, path, params=_query(params), json=body
                    ) as response:
                        status = response.status_code
                        answer = await read_answer(response, cut_at or _MAX_BODY)
        except TimeoutError as error:
            raise self._late(limit) from error
        except httpx.RemoteProtocolError as error:
            if not status:
                raise self._unreachable(error) from error
            detail = f"the answer to {path} broke off"
            raise fault("http", "truncated", detail, status=status) from error
        except (httpx.HTTPError, OSError) as error:
            raise self._unreachable(error) from error
        if answer.truncated and not cut_at:
            raise fault("http", "too-large", f"{path}: more than {_MAX_BODY >> 20} MiB")
        self.server_time = answer.read_at or self.server_time
        return answer

    def _failure(self, answer: Answer, right: str) -> Failure | None:
        access = self.access
        anonymous = not (access.authorization or access.certificate)
        failure = failure_of(answer, right=right, anonymous=anonymous)
        if failure is None or failure.code != "unauthorized":
            return failure
        if anonymous:
            return _with(failure, f"{access.user or 'the context'} has no credentials")
        expired = access.expires_at
        if expired and answer.read_at and expired <= answer.read_at:
            note = f"the token of {access.user} expired at {expired:%Y-%m-%d %H:%M} UTC"
            return msgspec.structs.replace(failure, code="credentials-expired", detail=note)
        return _with(failure, f'user "{access.user}"')

    def _late(self, limit: float) -> WorldFault:
        return fault(
            "deadline",
            "deadline-exceeded",
            f"the API server {self.access.server} did not answer in full within {limit:g} s",
        )

    def _unreachable(self, error: Exception) -> WorldFault:
        failure = classify(error)
        if failure is None:
            raise error
        by_proxy = self.access.proxy_url and failure.phase in ("resolve", "connect")
        way = "the proxy on the way to " if by_proxy else ""
        return WorldFault(_with(failure, f"{way}Kubernetes API {self.access.server}"))


_VERBS = {"GET": "get", "POST": "create", "DELETE": "delete"}


def pod_path(namespace: str, pod: str) -> str:
    """The path of one pod; names come from the cluster and are quoted all the same."""
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}"


def _query(params: Params | None) -> dict[str, str] | None:
    if params is None:
        return None
    return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in params.items()}


def _log_fault(error: WorldFault, *, previous: bool) -> WorldFault:
    """400 on a log means that the container has not run, or not before."""
    failure = error.failure
    if failure.status != 400:
        return error
    code = "not-found" if previous else "pod-not-running"
    return WorldFault(msgspec.structs.replace(failure, phase="kube", code=code))


def _with(failure: Failure, note: str) -> Failure:
    detail = f"{note}: {failure.detail}" if failure.detail else note
    return msgspec.structs.replace(failure, detail=detail)
