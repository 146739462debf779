"""watch: the stream of changes, with bookmarks and streamed initial lists.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
from aiohttp import web

from keptn_doctor.lab.kube.call import Call, integer
from keptn_doctor.lab.kube.cluster import Change
from keptn_doctor.lab.kube.conversion import from_storage
from keptn_doctor.lab.kube.negotiation import NO_CACHE, Shape, negotiate
from keptn_doctor.lab.kube.objects import Object
from keptn_doctor.lab.kube.paths import is_true
from keptn_doctor.lab.kube.reads import (
    Selection,
    list_options_error,
    metadata_only,
    parse_version,
    selection,
)
from keptn_doctor.lab.kube.status import expired
from keptn_doctor.lab.kube.tables import table
from keptn_doctor.model.base import Record

_LONGEST_SECONDS = 3_600
_BOOKMARK_SECONDS = 60.0
_PENDING = 10_000
_NOT_OLDER = "NotOlderThan"
_INITIAL_END = {"k8s.io/initial-events-end": "true"}


class _Plan(Record, frozen=True, kw_only=True):
    """What the client asked for; ``since`` None means: start with everything there is."""

    shape: Shape
    chosen: Selection
    since: int | None
    bookmarks: bool
    initial: bool
    seconds: int


def _plan(call: Call) -> _Plan:
    query, generation = call.query, call.cluster.generation
    shape = negotiate(call.accept, generation, "Table", "PartialObjectMetadata")
    initial = is_true(query.get("sendInitialEvents")) and generation.knows_send_initial_events
    _check_options(call)
    version = query.get("resourceVersion", "")
    since = None if version in {"", "0"} else parse_version(version, generation)
    asked = integer(query["timeoutSeconds"]) if query.get("timeoutSeconds") else 0
    return _Plan(
        shape=shape,
        chosen=selection(call),
        since=None if initial else since,
        bookmarks=is_true(query.get("allowWatchBookmarks")),
        initial=initial,
        seconds=min(asked, _LONGEST_SECONDS) if asked > 0 else _LONGEST_SECONDS,
    )


def _check_options(call: Call) -> None:
    """``ValidateListOptions`` for watches; client-go falls back to a list when it is refused."""
    query, generation = call.query, call.cluster.generation
    match, initial = query.get("resourceVersionMatch"), "sendInitialEvents" in query
    if not generation.knows_send_initial_events:
        if match:
            text = "resourceVersionMatch is forbidden for watch"
            raise list_options_error("resourceVersionMatch", text)
        return
    if initial and match != _NOT_OLDER:
        text = f"sendInitialEvents requires setting resourceVersionMatch to {_NOT_OLDER}"
        raise list_options_error("resourceVersionMatch", text)
    if initial and not generation.streams_lists:
        gate = "unless the WatchList feature gate is enabled"
        text = f"sendInitialEvents is forbidden for watch {gate}"
        raise list_options_error("sendInitialEvents", text)
    if match and not initial:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        raise list_options_error("resourceVersionMatch", text)


class _Stream:
    """The events of one watch, encoded one per line."""

    def __init__(self, call: Call, plan: _Plan) -> None:
        self._call = call
        self._plan = plan
        self._columns_sent = False

    def event(self, kind: str, obj: Object) -> bytes:
        return msgspec.json.encode({"type": kind, "object": self._shown(obj)}) + b"\n"

    def bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        meta: dict[str, Any] = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            meta["annotations"] = annotations
        resource = self._call.resource
        bare = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        shown = self._shown(bare) if self._plan.shape.kind == "Table" else bare
        return msgspec.json.encode({"type": "BOOKMARK", "object": shown}) + b"\n"

    def _shown(self, obj: Object) -> Object:
        shape = self._plan.shape
        if shape.kind == "Table":
            version = str((obj.get("metadata") or {}).get("resourceVersion", ""))
            shown = table(self._call, shape, (obj,), {"resourceVersion": version})
            if self._columns_sent:
                shown["columnDefinitions"] = None
            self._columns_sent = True
            return shown
        return metadata_only(shape, obj) if shape.kind else from_storage(self._call.resource, obj)

    def start(self) -> Iterator[bytes]:
        """What is sent before the first new change."""
        call, plan = self._call, self._plan
        key = call.resource.key
        if plan.since is None:
            for obj in call.cluster.items(key, call.namespace):
                if plan.chosen.matches(obj):
                    yield self.event("ADDED", obj)
            if plan.initial and plan.bookmarks:
                yield self.bookmark(call.cluster.revision, _INITIAL_END)
            return
        for change in call.cluster.since(key, plan.since) or ():
            yield from self.change(change)

    def too_old(self) -> bytes | None:
        """The error event for a start that is no longer in the history."""
        call, since = self._call, self._plan.since
        if since is None or call.cluster.since(call.resource.key, since) is not None:
            return None
        error = expired(f"too old resource version: {since} ({call.cluster.revision})")
        return msgspec.json.encode({"type": "ERROR", "object": error.body()}) + b"\n"

    def change(self, change: Change) -> Iterator[bytes]:
        """A change as this watcher sees it: leaving the selection is a deletion."""
        call, chosen = self._call, self._plan.chosen
        meta = change.obj.get("metadata") or {}
        if change.key != call.resource.key:
            return
        if call.namespace and meta.get("namespace") != call.namespace:
            return
        now = change.kind != "DELETED" and chosen.matches(change.obj)
        before = change.before is not None and chosen.matches(change.before)
        if now:
            yield self.event("MODIFIED" if before else "ADDED", change.obj)
        elif before:
            yield self.event("DELETED", change.obj)


async def watch_objects(call: Call) -> web.StreamResponse:
    plan = _plan(call)
    stream = _Stream(call, plan)
    queue: asyncio.Queue[Change] = asyncio.Queue(_PENDING)
    overflow = asyncio.Event()

    def hear(change: Change) -> None:
        try:
            queue.put_nowait(change)
        except asyncio.QueueFull:
            overflow.set()  # too slow a client loses its watch, as in a real server

    headers = {"Content-Type": "application/json", "Cache-Control": NO_CACHE, **call.warnings}
    response = web.StreamResponse(headers=headers)
    stop = call.cluster.listen(hear)
    try:
        error = stream.too_old()
        first = [error] if error else list(stream.start())
        await response.prepare(call.request)
        for line in first:
            await response.write(line)
        async with asyncio.timeout(plan.seconds):
            while not error and not overflow.is_set():
                await _send_next(call, plan, stream, queue, response)
    except TimeoutError:
        pass  # the watch has lived as long as was asked for
    finally:
        stop()
    await response.write_eof()
    return response


async def _send_next(
    call: Call,
    plan: _Plan,
    stream: _Stream,
    queue: asyncio.Queue[Change],
    response: web.StreamResponse,
) -> None:
    try:
        change = await asyncio.wait_for(queue.get(), _BOOKMARK_SECONDS)
    except TimeoutError:
        if plan.bookmarks:
            await response.write(stream.bookmark(call.cluster.revision))
        return
    for line in stream.change(change):
        await response.write(line)
