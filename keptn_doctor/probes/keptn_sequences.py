"""Reads which sequences are under way or have ended lately, and what each waits for.

Source: ``shipyard-controller/controller/statecontroller.go@0.8.7`` and
``internal/handler/statehandler.go@1.4.5``: ``GET /v1/sequence/{project}`` with ``state``, from
0.8.4 on; the newest come first. Where all fit on one page, nothing more is asked.
"""

from __future__ import annotations

import asyncio
import urllib.parse
from datetime import datetime

import msgspec

from keptn_doctor.model.keptn_facts import ProjectListing, Sequence, Sequences
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.keptn_registrations import lenient, moment
from keptn_doctor.probes.retry import Attempts

_PATH = "/controlPlane/v1/sequence/"
_UNDER_WAY = ("started", "waiting")
_TOLD = frozenset({*_UNDER_WAY, "triggered", "paused", "suspended", "timedOut"})
_MOST_PROJECTS = 10
_PAGE_SIZE = "50"


class _Event(msgspec.Struct, frozen=True):
    type: str | None = None
    time: str | None = None


class _Stage(msgspec.Struct, frozen=True, rename={"latest": "latestEvent"}):
    name: str | None = None
    latest: _Event | None = None


class _State(msgspec.Struct, frozen=True, rename={"context": "shkeptncontext"}):
    name: str | None = None
    state: str | None = None
    service: str | None = None
    time: str | None = None
    context: str | None = None
    stages: tuple[msgspec.Raw, ...] | None = None


class _Page(msgspec.Struct, frozen=True, rename={"total": "totalCount"}):
    states: tuple[msgspec.Raw, ...] | None = None
    total: int | None = None


async def sequences(
    api: KeptnApi, projects: ProjectListing, *, attempts: Attempts | None = None
) -> Sequences:
    """Of the newest fifty of ten projects at most those that did not end well or are under way.

    Where there are more, fifty that are started and fifty that are waiting, too. Raises WorldFault,
    see ``KeptnApi.get_as``.
    """

    async def of(project: str) -> tuple[dict[str, Sequence], datetime | None]:
        found: dict[str, Sequence] = {}
        server_time = None
        path = _PATH + urllib.parse.quote(project, safe="")
        for state in ("", *_UNDER_WAY):
            params = {"pageSize": _PAGE_SIZE} | ({"state": state} if state else {})
            page, exchange = await api.get_as(path, _Page, params=params, attempts=attempts)
            server_time = exchange.answer.date or server_time
            read = [item for raw in page.states or () if (item := lenient(raw, _State))]
            for number, item in enumerate(read):
                found[item.context or f"{state}{number}"] = _sequence(item, project, state)
            if not state and page.total is not None and page.total <= len(page.states or ()):
                break
        return found, server_time

    told = await asyncio.gather(*(of(p.name) for p in projects.projects[:_MOST_PROJECTS]))
    return Sequences(
        sequences=tuple(
            sequence for found, _ in told for sequence in found.values() if sequence.state in _TOLD
        ),
        server_time=next((at for _, at in reversed(told) if at), None),
    )


def _sequence(item: _State, project: str, state: str) -> Sequence:
    stages = [stage for raw in item.stages or () if (stage := lenient(raw, _Stage))]
    last = stages[-1] if stages else _Stage()
    latest = last.latest or _Event()
    return Sequence(
        project=project,
        name=item.name or "",
        service=item.service or "",
        stage=last.name or "",
        state=item.state or state,
        context=item.context or "",
        latest_event=latest.type or "",
        latest_at=moment(latest.time) or moment(item.time),
    )
