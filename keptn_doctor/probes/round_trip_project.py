"""The short-lived project of a round trip: made, and removed with all that Keptn stored of it.

Deleting a project removes its events in MongoDB too, but only those that are there: an answer that
comes late makes a collection of its name anew. So it is looked for, and the project removed again.
The content of a Git upstream is not deleted by Keptn, and not by the doctor.
Source: ``shipyard-controller/handler/projectmanager.go``, ``mongodb-datastore/db@1.4.5``.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import msgspec

from keptn_doctor.knowledge.versions import Version
from keptn_doctor.model.failure import Failure
from keptn_doctor.probes.failures import WorldFault, fault
from keptn_doctor.probes.http import Exchange
from keptn_doctor.probes.keptn_api import STORED_EVENTS, KeptnApi, status_failure
from keptn_doctor.probes.round_trip_choice import Choice, Refusal
from keptn_doctor.probes.round_trip_legs import BrokenLegError
from keptn_doctor.probes.round_trip_settings import Upstream
from keptn_doctor.probes.round_trip_writes import (
    FilesPath,
    GitFields,
    OwnProject,
    Write,
    is_there,
    new_empty_job,
    new_project,
    new_service,
    removal,
)

LATE_S = 10.0  # an answer to a task that was picked up and not finished comes within that
_SEQUENCES = "/controlPlane/v1/sequence/"
_OVER = ("finished", "succeeded", "timedOut", "aborted")
_UNANSWERED_S = 3.0  # for a creation that is under way when the run ends
_LAG_S = 2.0  # the datastore hears of a removal by a message
LAST_LOOK_S = 5.0
_MADE = (200, 201, 204)
_NOT_THERE = ("resolve", "connect", "tls", "auth")  # phases in which a request changes nothing


@dataclass(slots=True)
class ProjectEntry:
    """One project of one's own, from the intention to make it until it is known gone."""

    api: KeptnApi
    own: OwnProject
    making: asyncio.Task[Exchange] | None = None
    made: bool = False  # Keptn said so
    refused: bool = False  # Keptn said that it was not made
    gone: bool = False
    event_sent: bool = False  # so the datastore has events of it
    unanswered: bool = False  # a task is with a Keptn service, which may answer late


def git_fields(
    version: str, upstream: Upstream | None, *, provided: bool = False
) -> GitFields | Refusal:
    """How this Keptn wants the Git upstream of a project; a Refusal when it cannot be given.

    ``provided`` is whether its metadata tell of automatic provisioning.

    0.16.0 and later make no project without one, but where automatic provisioning makes it
    (``CHANGELOG.md@0.16.0, 0.18.0``). Earlier ones keep a repository of their own.
    """
    release = Version.parse(version)
    if release is None:
        return Refusal(reason="the version of Keptn is not known, so nobody knows what it needs")
    if release.within("", "0.15.1"):
        return "none"
    if upstream:
        return "flat" if release.within("", "0.16.99") else "nested"
    if provided:
        return "none"
    return Refusal(
        reason=f"Keptn {version} makes no project without a Git upstream, and it has no automatic "
        "provisioning",
        unlock="round-trip.upstream in the configuration file: an empty Git repository",
    )


def files_path(version: str) -> FilesPath:
    """Where the gateway has the files of projects (``CHANGELOG.md@0.18.0``)."""
    release = Version.parse(version)
    older = release is not None and release.within("", "0.17.99")
    return "/configuration-service" if older else "/resource-service"


async def make(
    entry: ProjectEntry,
    choice: Choice,
    *,
    git: GitFields,
    upstream: Upstream | None,
    files: FilesPath = "/resource-service",
) -> None:
    """Make the project and its service; raises BrokenLegError when Keptn does not."""
    given = upstream or Upstream(url="")
    write = new_project(
        entry.own, stage=choice.stage, task=choice.task, git=git, url=given.url, user=given.user,
        token=given.token,
    )  # fmt: skip
    refusal = await _made(entry, write)
    if refusal:
        entry.refused = refusal.phase in _NOT_THERE or not await _may_be_there(entry)
        hint = _about_git(refusal) if git != "none" else ""
        raise BrokenLegError(f"Keptn does not make the project: {_said(refusal)}{hint}")
    entry.made = True
    await _put(entry, new_service(entry.own, choice.service), "make a service in the project")
    if choice.empty_job:
        job = new_empty_job(
            entry.own, stage=choice.stage, service=choice.service, task=choice.task, files=files
        )
        await _put(entry, job, "take a job configuration")


async def _put(entry: ProjectEntry, write: Write, what: str) -> None:
    try:
        failure = _refusal(await entry.api.write(write))
    except WorldFault as lost:
        failure = lost.failure
    if failure:
        raise BrokenLegError(f"Keptn does not {what}: {_said(failure)}")


async def _made(entry: ProjectEntry, write: Write) -> Failure | None:
    """Post it, and let the post come to its end even when nobody waits for it any more."""
    entry.making = asyncio.ensure_future(entry.api.write(write))
    try:
        return _refusal(await asyncio.shield(entry.making))
    except WorldFault as lost:
        return lost.failure


async def _may_be_there(entry: ProjectEntry) -> bool:
    try:
        return await is_there(entry.api, entry.own)
    except WorldFault:
        return True


def _refusal(exchange: Exchange) -> Failure | None:
    if exchange.answer.status in _MADE:
        return None
    return status_failure(exchange)


def _said(failure: Failure) -> str:
    return failure.detail or failure.code


def _about_git(failure: Failure) -> str:
    """What 404 and 409 mean from 1.0.0 on (``CHANGELOG.md@1.0.0``)."""
    if failure.status == 404:
        return " (the repository of the Git upstream is not found)"
    if failure.status == 409:
        return " (the repository of the Git upstream has content already: it must be empty)"
    return ""


async def remove(
    entry: ProjectEntry,
    *,
    late_s: float = LATE_S,
    pause_s: float = 1.0,
    last_look_s: float = LAST_LOOK_S,
) -> str:
    """Remove the project for good; what could not be made sure of, in words.

    ``late_s`` is how long to wait for late answers, where there may be any, and ``last_look_s`` how
    long after that for the datastore to forget. Raises WorldFault when the project, or events of
    it, stay or may come back.
    """
    if entry.gone or entry.refused:
        return ""
    still_making = await _still_making(entry)
    await _delete(entry)
    if still_making or await is_there(entry.api, entry.own):
        raise fault("kube", "conflict", f"project {entry.own.name} is there still, or will be")
    doubt = ""
    if entry.event_sent:
        wait_s = late_s if entry.unanswered else 0.0
        doubt = await _nothing_comes_back(
            entry, wait_s=wait_s, last_look_s=last_look_s, pause_s=pause_s
        )
    entry.gone = True
    return doubt


async def _still_making(entry: ProjectEntry) -> bool:
    """Whether Keptn has not answered the creation, after a moment more."""
    if entry.making is None:
        return False
    _, pending = await asyncio.wait({entry.making}, timeout=_UNANSWERED_S)
    if pending:
        entry.making.cancel()
        return True
    if not entry.making.cancelled() and entry.making.exception() is None:
        entry.made = entry.made or _refusal(entry.making.result()) is None
    return False


async def is_under_way(api: KeptnApi, own: OwnProject) -> bool:
    """Whether a sequence of the project may still be answered; True when that cannot be asked."""
    try:
        page, _ = await api.get_as(_SEQUENCES + own.name, _States, fresh=True)
    except WorldFault:
        return True
    return any(state.state not in _OVER for state in page.states or ())


async def _delete(entry: ProjectEntry) -> None:
    failure = _refusal(await entry.api.write(removal(entry.own)))
    if failure and failure.code != "not-found":
        raise WorldFault(failure)


async def _nothing_comes_back(
    entry: ProjectEntry, *, wait_s: float, last_look_s: float, pause_s: float
) -> str:
    """Wait until the datastore has no event of the project, and none can come."""
    began = removed = time.perf_counter()
    while True:
        try:
            stored = await _stored(entry)
        except WorldFault:
            return f"whether the datastore keeps events of project {entry.own.name} was not seen"
        now = time.perf_counter()
        if not stored and now - began >= wait_s:
            return ""
        if now - began > wait_s + last_look_s:
            detail = f"project {entry.own.name} is gone, but the datastore keeps events of it"
            raise fault("kube", "conflict", detail)
        if stored and now - removed >= min(_LAG_S, last_look_s / 2):
            await _delete(entry)
            removed = now
        await asyncio.sleep(pause_s)


async def _stored(entry: ProjectEntry) -> bool:
    params = {"project": entry.own.name, "pageSize": "1"}
    page, _ = await entry.api.get_as(STORED_EVENTS, _Page, params=params, fresh=True)
    return bool(page.events)


class _Page(msgspec.Struct, frozen=True):
    events: tuple[Any, ...] | None = None


class _State(msgspec.Struct, frozen=True):
    state: str | None = None


class _States(msgspec.Struct, frozen=True):
    states: tuple[_State, ...] | None = None
