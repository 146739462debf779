"""Reads what Keptn services have answered: to events that lie open for long, and last of all.

Source: ``mongodb-datastore/handlers/event.go`` and ``db/mongodb_event_repo.go@0.8.7 … 1.4.5``:
``GET /event`` looks into one project's collection and compares ``type`` and ``source`` exactly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

import msgspec

from keptn_doctor.model.keptn_facts import (
    OldEvent,
    OldEvents,
    OpenEvent,
    OpenEvents,
    PastAnswer,
    PastAnswers,
)
from keptn_doctor.probes.keptn_api import STORED_EVENTS, KeptnApi
from keptn_doctor.probes.keptn_projects import open_events
from keptn_doctor.probes.keptn_registrations import lenient, moment
from keptn_doctor.probes.retry import Attempts
from keptn_doctor.probes.round_trip_writes import OWN_PREFIX

OLD_S = 60.0  # six polling intervals (HTTP_POLLING_INTERVAL is 10 s unless set)

_MOST_OLD = 10
_MOST_SOURCES = 10
_MOST_PROJECTS = 3
_NEWEST = "10"  # events of one source: a task leaves two, and now and then a message between
_AT_ONCE = 4
_TRIGGERED = ".triggered"


class _Event(msgspec.Struct, frozen=True):
    type: str | None = None
    source: str | None = None
    time: str | None = None
    triggeredid: str | None = None


class _Page(msgspec.Struct, frozen=True):
    events: tuple[msgspec.Raw, ...] | None = None


def old_ones(seen: OpenEvents) -> tuple[OpenEvent, ...]:
    """The open events that polls had time enough to fetch, by the server's clock; oldest first.

    What a round trip of an earlier run has left is nobody's work.
    """
    if seen.server_time is None:
        return ()
    now = seen.server_time
    others = [event for event in seen.events if not event.project.startswith(OWN_PREFIX)]
    dated = [(event.at, event) for event in others if event.at is not None]
    old = [(at, event) for at, event in dated if (now - at).total_seconds() >= OLD_S]
    return tuple(event for _, event in sorted(old, key=lambda pair: (pair[0], pair[1].id)))


async def old_events(
    api: KeptnApi, first: OpenEvents, *, attempts: Attempts | None = None
) -> OldEvents:
    """The second read of what was old at the first, and who has started on it: GETs alone.

    Nothing is asked when nothing was old, and of no more than ten events. Raises WorldFault, see
    ``KeptnApi.get_as``.
    """
    old = old_ones(first)
    chosen = old[:_MOST_OLD]
    if not chosen:
        return OldEvents(server_time=first.server_time)
    kinds = tuple(sorted({event.type for event in chosen}))
    again = await open_events(api, kinds, fresh=True, attempts=attempts)
    open_still = {event.id for event in again.events}
    waiting = [event for event in chosen if event.id in open_still]
    started = await asyncio.gather(*(_started_by(api, event, attempts) for event in waiting))
    pairs = zip(waiting, started, strict=True)
    return OldEvents(
        events=tuple(OldEvent(event=event, started_by=by) for event, by in pairs),
        answered=len(chosen) - len(waiting),
        left_out=len(old) - len(chosen),
        apart_s=_apart(first, again),
        server_time=again.server_time,
    )


def _apart(first: OpenEvents, again: OpenEvents) -> float:
    if first.server_time is None or again.server_time is None:
        return 0.0
    return (again.server_time - first.server_time).total_seconds()


async def _started_by(
    api: KeptnApi, event: OpenEvent, attempts: Attempts | None
) -> tuple[str, ...]:
    params = {"type": event.type.removesuffix(_TRIGGERED) + ".started", "pageSize": "50"}
    if event.project:
        params["project"] = event.project
    if event.context:
        params["keptnContext"] = event.context
    found, _ = await _read(api, params, attempts)
    sources = [e.source or "?" for e in found if e.triggeredid == event.id]
    return tuple(sorted(set(sources)))


async def past_answers(
    api: KeptnApi,
    sources: Iterable[str],
    projects: Iterable[str],
    *,
    attempts: Attempts | None = None,
) -> PastAnswers:
    """The newest ``.started`` and ``.finished`` of each source among its last ten events.

    Ten sources in three projects at most, one small GET for each pair. Raises WorldFault.
    """
    asked = tuple(sorted(set(sources)))[:_MOST_SOURCES]
    where = tuple(projects)[:_MOST_PROJECTS]
    limit = asyncio.Semaphore(_AT_ONCE)

    async def newest(source: str, project: str) -> tuple[list[_Event], datetime | None]:
        params = {"project": project, "source": source, "pageSize": _NEWEST}
        async with limit:
            return await _read(api, params, attempts)

    pairs = [(source, project) for source in asked for project in where]
    found = await asyncio.gather(*(newest(*pair) for pair in pairs))
    events: dict[str, list[_Event]] = {source: [] for source in asked}
    for (source, _), (page, _) in zip(pairs, found, strict=True):
        events[source] += page
    answers = [_answer(source, events[source]) for source in asked]
    return PastAnswers(
        asked_sources=asked,
        asked_projects=where,
        answers=tuple(answer for answer in answers if answer.started or answer.finished),
        server_time=max((at for _, at in found if at), default=None),
    )


def _answer(source: str, events: list[_Event]) -> PastAnswer:
    started, started_at = _last(events, ".started")
    finished, finished_at = _last(events, ".finished")
    return PastAnswer(
        source=source, started=started, started_at=started_at, finished=finished,
        finished_at=finished_at,
    )  # fmt: skip


def _last(events: list[_Event], ending: str) -> tuple[str, datetime | None]:
    dated = [
        (at, event.type)
        for event in events
        if event.type and event.type.endswith(ending) and (at := moment(event.time))
    ]
    at, kind = max(dated, default=(None, ""))
    return kind, at


async def _read(
    api: KeptnApi, params: dict[str, str], attempts: Attempts | None
) -> tuple[list[_Event], datetime | None]:
    page, exchange = await api.get_as(STORED_EVENTS, _Page, params=params, attempts=attempts)
    events = [event for raw in page.events or () if (event := lenient(raw, _Event))]
    return events, exchange.answer.date
