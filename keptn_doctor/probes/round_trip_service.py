"""Level service: a task through the execution plane and back, in a project of its own.

The project has one sequence of one task. shipyard-controller sends the task, the Keptn service
picks it up and answers ``.started`` and ``.finished``; then the project is removed. An answer that
says that the task failed is an answer. Events carry no plane: the source tells a Keptn service by
its name only, and where two have one name, nobody can say which of them it was.
"""

from __future__ import annotations

import uuid

import msgspec

from keptn_doctor.model.base import Record
from keptn_doctor.model.keptn_facts import Hop, RoundTrip
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_api import OPEN_EVENTS
from keptn_doctor.probes.round_trip import NOT_STORED
from keptn_doctor.probes.round_trip_choice import Choice
from keptn_doctor.probes.round_trip_legs import (
    STORED_S,
    BrokenLegError,
    Found,
    Legs,
    Mailbox,
    message_of,
    send,
)
from keptn_doctor.probes.round_trip_project import ProjectEntry, make, remove
from keptn_doctor.probes.round_trip_settings import Upstream
from keptn_doctor.probes.round_trip_writes import OWN_SEQUENCE, FilesPath, GitFields, own_sequence

_END_S = 5.0


class Errand(Record, frozen=True, kw_only=True):
    """What is to be sent where, and whose answer is awaited."""

    choice: Choice
    names: frozenset[str]  # by which the Keptn service may call itself
    git: GitFields = "none"
    upstream: Upstream | None = None
    files: FilesPath = "/resource-service"

    def is_own(self, event: Found) -> bool:
        """Whether the source is the service's name, or a path or address that ends in it."""
        return event.source.rstrip("/").rpartition("/")[2] in self.names


async def service_trip(
    entry: ProjectEntry, errand: Errand, *, limit_s: float, pause_s: float = 1.0
) -> RoundTrip:
    """Make the project, send the task, await its answers up to ``limit_s``, remove the project.

    ``entry`` has been written down by the caller, who removes what an interruption leaves. Raises
    PermissionError when the run is not active.
    """
    legs = Legs("project-made", "accepted", "stored", "task-sent", "picked-up", "finished")
    trip = _Trip(entry, errand, legs, limit_s=limit_s, pause_s=pause_s)
    try:
        await trip.there_and_back()
    except BrokenLegError as broken:
        legs.broke(broken)
    removed = await _removed(entry, pause_s=pause_s)
    choice = errand.choice
    return RoundTrip(
        level="service",
        hops=(*legs.hops(), removed),
        context=trip.context,
        project=entry.own.name,
        stage=choice.stage,
        service=choice.service,
        task=choice.event,
        offered=trip.offered,
        answered_by=tuple(dict.fromkeys(trip.answered_by)),
        left_behind=_left(entry, errand, removed),
    )


class _Trip:
    """One errand under way."""

    def __init__(
        self, entry: ProjectEntry, errand: Errand, legs: Legs, *, limit_s: float, pause_s: float
    ) -> None:
        self._entry, self._errand, self._legs = entry, errand, legs
        self._limit_s, self._pause_s = limit_s, pause_s
        self._api = entry.api
        self.context = str(uuid.uuid4())
        self.offered: bool | None = None
        self.answered_by: list[str] = []

    async def there_and_back(self) -> None:
        """Every leg but the last; raises BrokenLegError at the one that does not hold."""
        errand, entry, legs = self._errand, self._entry, self._legs
        await make(
            entry, errand.choice, git=errand.git, upstream=errand.upstream, files=errand.files
        )
        legs.passed()
        write = own_sequence(
            self.context,
            entry.own,
            stage=errand.choice.stage,
            service=errand.choice.service,
            task=errand.choice.task,
        )
        entry.event_sent = True
        self.context = await send(self._api, write, self.context)
        legs.passed()
        legs.start_limit()
        mailbox = Mailbox(self._api, self.context, project=entry.own.name, pause_s=self._pause_s)
        stored_s = legs.left_s(self._limit_s, most_s=STORED_S)
        if not await mailbox.until(lambda events: events or None, limit_s=stored_s):
            raise mailbox.or_refused(NOT_STORED.format(stored_s))
        legs.passed()
        task = await self._task(mailbox)
        entry.unanswered = True
        legs.passed()
        await self._answers(mailbox, task)
        # The last event is that of the sequence's end; one that came after the removal would stay.
        entry.unanswered = not await mailbox.until(_sequence_end, limit_s=_END_S)

    async def _task(self, mailbox: Mailbox) -> Found:
        """The task's own event, as shipyard-controller has sent it."""
        kind = self._errand.choice.event
        wait_s = self._legs.left_s(self._limit_s)
        found = await mailbox.until(
            lambda events: _first(events, kind) or _sequence_end(events), limit_s=wait_s
        )
        if found is None:
            raise mailbox.or_refused(
                f"shipyard-controller did not send the task in {wait_s:.0f} s: it did not get the "
                "event, or its dispatcher hangs"
            )
        if found.type != kind:
            said = message_of(found, self._api.redactor.clean)
            raise BrokenLegError(f"shipyard-controller ended the sequence before its task: {said}")
        return found

    async def _answers(self, mailbox: Mailbox, task: Found) -> None:
        self.offered = await self._is_offered(task)
        wait_s = self._legs.left_s(self._limit_s)
        end = await mailbox.until(
            lambda events: self._own_start(events, task) or _sequence_end(events), limit_s=wait_s
        )
        started = end if end and end.type.endswith(".started") else None
        await self._note_sources(mailbox, task)
        if started is None:
            raise self._nobody(mailbox, ended=end is not None, waited_s=wait_s)
        certain, words = self._whose(started)
        self._legs.passed(words, certain=certain)
        wait_s = self._legs.left_s(self._limit_s)
        finished = await mailbox.until(
            lambda events: _answer(events, task, ".finished", started.source), limit_s=wait_s
        )
        if finished is None:
            raise mailbox.or_refused(
                f"{started.source} started and did not finish in {wait_s:.0f} s: it works longer, "
                "hangs, or its answer does not get through"
            )
        said = message_of(finished, self._api.redactor.clean)
        self._legs.passed(said, certain=certain)
        await self._note_sources(mailbox, task)

    def _own_start(self, events: tuple[Found, ...], task: Found) -> Found | None:
        """The service's own answer; a source that is nobody else's name counts when it is alone."""
        started = [e for e in events if _answers_to(e, task, ".started")]
        own = next((e for e in started if self._errand.is_own(e)), None)
        if own or self._errand.choice.others:
            return own
        return started[0] if started else None

    def _whose(self, started: Found) -> tuple[bool, str]:
        """Whether the answer is certainly the service's, and what there is to say of it."""
        errand = self._errand
        if not errand.is_own(started):
            return False, (
                f"answered by {started.source or 'a nameless source'}, which is no name of the "
                "service; nobody else subscribes to the task"
            )
        if errand.choice.namesakes:
            listed = ", ".join(errand.choice.namesakes)
            return False, (
                f"answered by {started.source}, and so are called: {listed}. An event does not say "
                "from which plane it comes"
            )
        return True, f"by {started.source}"

    async def _note_sources(self, mailbox: Mailbox, task: Found) -> None:
        try:
            events = await mailbox.read()
        except WorldFault:
            return
        newest_last = reversed([e for e in events if _answers_to(e, task, ".started")])
        self.answered_by += [event.source for event in newest_last]

    async def _is_offered(self, task: Found) -> bool | None:
        """Whether those who poll are shown the task; None when that could not be asked.

        From 0.17.0 on an event from the future of shipyard-controller's clock is left out
        (``eventhandler.go@0.17.0``); up to 0.9.0 an empty list is an error.
        """
        params = {"project": self._entry.own.name, "pageSize": "20"}
        path = OPEN_EVENTS + self._errand.choice.event
        try:
            page, _ = await self._api.get_as(path, _Page, params=params, fresh=True)
        except WorldFault:
            return None
        return any(event.id == task.id for event in page.events or ())

    def _nobody(self, mailbox: Mailbox, *, ended: bool, waited_s: float) -> BrokenLegError:
        others = " and ".join(dict.fromkeys(self.answered_by))
        name = min(self._errand.names)
        if others:
            return BrokenLegError(f"{others} answered, and not {name}")
        if ended:
            return BrokenLegError("the sequence ended, and nobody had started its task")
        if self.offered is False:
            return BrokenLegError(
                f"shipyard-controller sent the task and does not show it to those who poll, so "
                f"{name} cannot see it: its clock may be behind"
            )
        return mailbox.or_refused(
            f"the task lies open and {name} did not start it in {waited_s:.0f} s: it does not "
            "poll, its filter keeps it out, or its answer does not get through"
        )


class _Listed(msgspec.Struct, frozen=True):
    id: str = ""


class _Page(msgspec.Struct, frozen=True):
    events: tuple[_Listed, ...] | None = None


def _first(events: tuple[Found, ...], kind: str) -> Found | None:
    return next((event for event in events if event.type == kind), None)


def _sequence_end(events: tuple[Found, ...]) -> Found | None:
    ending = f".{OWN_SEQUENCE}.finished"
    return next((event for event in events if event.type.endswith(ending)), None)


def _answers_to(event: Found, task: Found, ending: str) -> bool:
    kind = task.type.removesuffix(".triggered") + ending
    return event.type == kind and event.triggeredid in ("", task.id)


def _answer(events: tuple[Found, ...], task: Found, ending: str, source: str) -> Found | None:
    found = (e for e in events if _answers_to(e, task, ending) and e.source == source)
    return next(found, None)


async def _removed(entry: ProjectEntry, *, pause_s: float) -> Hop:
    """The last leg, with what it took."""
    if entry.refused:
        return Hop(leg="project-removed", state="not-reached")
    legs = Legs("project-removed")
    try:
        legs.passed(await remove(entry, pause_s=pause_s))
    except WorldFault as fault:
        legs.broke(BrokenLegError(fault.failure.detail or fault.failure.code))
    return legs.hops()[0]


def _left(entry: ProjectEntry, errand: Errand, removed: Hop) -> tuple[str, ...]:
    left = []
    if removed.state == "failed":
        left.append(f"project {entry.own.name}, until keptn-doctor cleanup removes it")
    elif removed.detail:
        left.append(removed.detail)
    if errand.upstream and errand.git != "none" and not entry.refused:
        left.append(f"a shipyard in the Git repository {errand.upstream.url}")
    return tuple(left)
