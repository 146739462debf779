"""Reads the projects with what their shipyards ask for, and the events that nobody has answered.

Sources: ``shipyard-controller/internal/handler/projecthandler.go``, ``eventhandler.go`` and
``common/pagination.go@1.4.5``. Events are asked for without a project: up to 0.9.0 an answer
with a project and nothing open is a 500.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import urllib.parse
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
import yaml

from keptn_doctor.model.keptn_facts import (
    OpenEvent,
    OpenEvents,
    Project,
    ProjectListing,
    ProjectStage,
)
from keptn_doctor.probes.keptn_api import OPEN_EVENTS, KeptnApi
from keptn_doctor.probes.keptn_registrations import lenient, moment
from keptn_doctor.probes.retry import Attempts

PROJECTS = "/controlPlane/v1/project"
FIRST_PAGE = {"pageSize": "50"}

_MOST_PAGES = 20
_MOST_TYPES = 20
_LONGEST_SHIPYARD = 256 * 1024
_LONGEST_YAML_LIST = 100
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Service(msgspec.Struct, frozen=True, rename={"name": "serviceName"}):
    name: str | None = None


class _Stage(msgspec.Struct, frozen=True, rename={"name": "stageName"}):
    name: str | None = None
    services: tuple[msgspec.Raw, ...] | None = None


class _Project(msgspec.Struct, frozen=True, rename={"name": "projectName"}):
    name: str | None = None
    shipyard: str | None = None
    stages: tuple[msgspec.Raw, ...] | None = None


class _Data(msgspec.Struct, frozen=True):
    project: str | None = None
    stage: str | None = None
    service: str | None = None


class _Event(msgspec.Struct, frozen=True, rename={"context": "shkeptncontext"}):
    id: str | None = None
    type: str | None = None
    time: str | None = None
    context: str | None = None
    data: _Data | None = None


class _Page(msgspec.Struct, frozen=True, rename={"next_key": "nextPageKey"}):
    projects: tuple[msgspec.Raw, ...] | None = None
    events: tuple[msgspec.Raw, ...] | None = None
    next_key: str | int | None = None


async def _pages(
    api: KeptnApi, path: str, attempts: Attempts | None, *, fresh: bool = False
) -> AsyncIterator[tuple[_Page, datetime | None]]:
    """Page after page, up to the key "0", a key that was there before, or the twentieth page.

    Each with the server's time at which it was answered.
    """
    seen: set[str] = set()
    params = dict(FIRST_PAGE)
    for _ in range(_MOST_PAGES):
        page, exchange = await api.get_as(
            path, _Page, params=params, fresh=fresh, attempts=attempts
        )
        yield page, exchange.answer.date
        key = str(page.next_key or "0")
        if key == "0" or key in seen:
            return
        seen.add(key)
        params = {**FIRST_PAGE, "nextPageKey": key}


async def projects(api: KeptnApi, *, attempts: Attempts | None = None) -> ProjectListing:
    """All projects, 1000 at most; raises WorldFault, see ``KeptnApi.get_as``."""
    found: list[Project] = []
    async for page, _ in _pages(api, PROJECTS, attempts):
        read = (lenient(raw, _Project) for raw in page.projects or ())
        found += [_project(project) for project in read if project and project.name]
    return ProjectListing(projects=tuple(found))


def _project(project: _Project) -> Project:
    tasks = shipyard_tasks(project.shipyard or "")
    stages = (lenient(raw, _Stage) for raw in project.stages or ())
    return Project(
        name=project.name or "",
        stages=tuple(
            ProjectStage(
                name=stage.name,
                services=tuple(s.name for s in _services(stage) if s and s.name),
                tasks=tasks.get(stage.name, ()),
            )
            for stage in stages
            if stage and stage.name
        ),
    )


def _services(stage: _Stage) -> list[_Service | None]:
    return [lenient(raw, _Service) for raw in stage.services or ()]


def shipyard_tasks(text: str) -> dict[str, tuple[str, ...]]:
    """Task names by stage, from a shipyard as YAML or as base64 of it; {} when it is neither."""
    return {
        str(stage.get("name", "")): tuple(dict.fromkeys(_tasks(stage)))
        for stage in _dicts(_get(_get(shipyard_document(text), "spec"), "stages"))
    }


def shipyard_sequences(text: str, stage: str) -> tuple[str, ...]:
    """Names of the sequences of one stage, from a shipyard as above."""
    stages = _dicts(_get(_get(shipyard_document(text), "spec"), "stages"))
    return tuple(
        str(sequence.get("name", ""))
        for one in stages
        if one.get("name") == stage
        for sequence in _dicts(one.get("sequences"))
    )


def shipyard_document(text: str) -> object:
    """What the YAML, or the base64 of it, says; {} when it is neither."""
    if not text or len(text) > _LONGEST_SHIPYARD:
        return {}
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        decoded = text
    try:
        # The subclass of SafeLoader in C; it makes plain values only.
        return yaml.load(decoded, Loader=_LOADER)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}


def _tasks(stage: dict[Any, Any]) -> list[str]:
    return [
        str(task["name"])
        for sequence in _dicts(stage.get("sequences"))
        for task in _dicts(sequence.get("tasks"))
        if task.get("name")
    ]


def _get(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _dicts(value: object) -> list[dict[Any, Any]]:
    """A list's objects; not all of a long one, since aliases make long lists of short YAML."""
    if not isinstance(value, list):
        return []
    return [item for item in value[:_LONGEST_YAML_LIST] if isinstance(item, dict)]


async def open_events(
    api: KeptnApi,
    event_types: tuple[str, ...],
    *,
    fresh: bool = False,
    attempts: Attempts | None = None,
) -> OpenEvents:
    """Events of these types that wait for a ``.finished``; wildcards cannot be asked for.

    ``fresh`` asks again for what was answered before in this run. Raises WorldFault.
    """
    asked = tuple(sorted({kind for kind in event_types if _askable(kind)}))[:_MOST_TYPES]

    async def waiting(kind: str) -> tuple[list[OpenEvent], datetime | None]:
        found: list[OpenEvent] = []
        server_time = None
        path = OPEN_EVENTS + urllib.parse.quote(kind, safe="")
        async for page, at in _pages(api, path, attempts, fresh=fresh):
            server_time = at or server_time
            read = (lenient(raw, _Event) for raw in page.events or ())
            found += [_event(event, kind) for event in read if event and event.id]
        return found, server_time

    told = await asyncio.gather(*(waiting(kind) for kind in asked))
    return OpenEvents(
        asked_types=asked,
        events=tuple(event for events, _ in told for event in events),
        server_time=next((at for _, at in reversed(told) if at), None),
    )


def _askable(kind: str) -> bool:
    return kind.endswith(".triggered") and not set(kind) & set("*>/ ")


def _event(event: _Event, kind: str) -> OpenEvent:
    data = event.data or _Data()
    return OpenEvent(
        id=event.id or "",
        type=event.type or kind,
        project=data.project or "",
        stage=data.stage or "",
        service=data.service or "",
        at=moment(event.time),
        context=event.context or "",
    )
