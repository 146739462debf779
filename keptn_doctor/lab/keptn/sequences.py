"""shipyard-controller's way with events: from a sequence's trigger to its ``.finished``.

It keeps the open ``.triggered`` events that execution planes poll for, queues sequences, triggers
one task after the other, and waits for as many ``.finished`` as there were ``.started``. What it
sends goes through the messaging of its Keptn, like everybody's events.

Sources: ``shipyard-controller/handler/shipyardcontroller.go @0.9.2, @0.13.6``,
``internal/controller/shipyardcontroller.go``, ``sequencedispatcher.go @1.4.5``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from keptn_doctor.lab.keptn.events import Event, new_id
from keptn_doctor.lab.keptn.releases import Release
from keptn_doctor.lab.keptn.sequence_states import SequenceStates
from keptn_doctor.lab.keptn.shipyards import InvalidShipyardError, Sequence, Shipyard, Task
from keptn_doctor.lab.settings import DeliverySettings

SOURCE = "shipyard-controller"

_MOST_LINES = 1000
_OWN_FIELDS = frozenset({"project", "stage", "service", "labels", "status", "result", "message"})
_SLOW_UPSTREAM_S = 0.6  # a minute, shortened

Line = tuple[datetime, str, str]  # moment, level, text


class UnreadableShipyardError(Exception):
    """The shipyard cannot be had: no project, no upstream, no resource-service."""


@dataclass(slots=True, kw_only=True)
class _Current:
    """The task that a sequence waits for."""

    task: Task
    event: Event
    started: int = 0
    finished: list[Event] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Run:
    """One sequence in one stage."""

    sequence: Sequence
    shipyard: Shipyard
    trigger: Event
    status: Literal["queued", "started", "over"] = "queued"
    done: int = 0
    properties: dict[str, Any] = field(default_factory=dict)
    current: _Current | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        return self.trigger.project, self.trigger.stage, self.trigger.service


@dataclass(slots=True, kw_only=True)
class SequenceController:
    """The event side of one shipyard-controller; ``close`` drops what is still to come.

    Args of the constructor:
        publish: hands an event to the messaging; False when NATS takes none.
        shipyard_of: a project's shipyard; raises UnreadableShipyardError or InvalidShipyardError.
        slow_upstream: whether reading a project's shipyard takes a minute.
        opened: called for each task event that becomes open.
        busy: whether a sequence of earlier days still holds a stage and service.
    """

    version: Release
    settings: DeliverySettings
    clock: Callable[[], datetime]
    publish: Callable[[Event], bool]
    shipyard_of: Callable[[str], Shipyard]
    slow_upstream: Callable[[str], bool]
    opened: Callable[[Event], None]
    busy: Callable[[str, str, str], bool]
    states: SequenceStates
    open: list[Event] = field(default_factory=list)  # <project>-triggeredEvents
    log: deque[Line] = field(default_factory=lambda: deque(maxlen=_MOST_LINES))
    _runs: list[_Run] = field(default_factory=list)
    _task_events: list[Event] = field(default_factory=list)  # -startedEvents, -finishedEvents
    _pending: set[asyncio.TimerHandle] = field(default_factory=set)

    def close(self) -> None:
        for handle in self._pending:
            handle.cancel()
        self._pending.clear()

    def handle(self, event: Event) -> None:
        """What a received event sets off; kinds other than these three are ignored."""
        if event.kind not in {"triggered", "started", "finished"}:
            return
        if not event.parts:
            if self.version >= (0, 14, 0):
                self._write("error", f"could not process message: {event.type}")
            return
        missing = next((k for k in ("project", "stage", "service") if not event.data.get(k)), "")
        if missing:
            before = "" if self.version < (0, 11, 0) else f"Unable to handle {event.type} event: "
            self._write("error", f"{before}event does not contain a {missing}")
        elif event.kind == "triggered" and len(event.parts) > 1:
            slow = self.slow_upstream(event.project)
            self._later(_SLOW_UPSTREAM_S if slow else 0.0, lambda: self._asked(event))
        elif event.kind != "triggered" and len(event.parts) == 1:
            self._task_event(event)

    def polled(self, event_type: str, at: datetime) -> list[Event]:
        """The open events of a type; from 0.17 on those of the future are kept back."""
        found = [e for e in self.open if e.type == event_type]
        if self.version >= (0, 17, 0):
            found = [e for e in found if e.time <= at]
        return found

    def forget(self, project: str) -> None:
        """Drop a project's collections, as at its making and at its end."""
        self.open = [e for e in self.open if e.project != project]
        self._runs = [r for r in self._runs if r.trigger.project != project]
        self._task_events = [e for e in self._task_events if e.project != project]
        self.states.drop(project)

    def left_of(self, project: str) -> dict[str, int]:
        """How many documents each collection has for a project."""
        kinds = [e.kind for e in self._task_events if e.project == project]
        counts = {
            f"{project}-triggeredEvents": sum(e.project == project for e in self.open),
            f"{project}-startedEvents": kinds.count("started"),
            f"{project}-finishedEvents": kinds.count("finished"),
            f"{project}-taskSequenceStates": len(self.states.of(project)),
            "sequence-executions": sum(r.trigger.project == project for r in self._runs),
        }
        return {collection: count for collection, count in counts.items() if count}

    # --- a sequence is asked for

    def _asked(self, event: Event) -> None:
        stage, name = event.parts
        try:
            shipyard = self.shipyard_of(event.project)
        except (UnreadableShipyardError, InvalidShipyardError) as error:
            what = "Unable to retrieve Shipyard file"
            if self.version < (0, 11, 0):
                what = f"could not start sequence {name}"
            self._refuse(event, f"{what}: {error}")
            return
        try:
            sequence = shipyard.sequence(stage, name)
        except InvalidShipyardError as error:
            verb = "could not" if self.version < (0, 11, 0) else "Unable to"
            text = f"{verb} start sequence {name}: {error}"
            if self.version < (0, 9, 1):
                self._write("error", text)
            else:
                self._refuse(event, text)
            return
        if any(r.trigger.id == event.id for r in self._runs):
            return
        self._queue(event, sequence, shipyard)

    def _refuse(self, event: Event, text: str) -> None:
        self._write("error", text)
        if self.version >= (0, 9, 1):
            self.states.triggered(event, name=event.parts[1])
            self.states.becomes(event.project, event.context, "finished")
        self._finish_sequence(
            event, {"status": "errored", "result": "fail", "message": text}, stage=event.stage
        )

    def _queue(self, event: Event, sequence: Sequence, shipyard: Shipyard) -> None:
        if all(e.id != event.id for e in self.open):
            self.open.append(event)
        run = _Run(
            sequence=sequence,
            shipyard=shipyard,
            trigger=event,
            properties={k: v for k, v in event.data.items() if k not in _OWN_FIELDS},
        )
        self._runs.append(run)
        self.states.triggered(event, name=sequence.name)
        if self.version < (0, 9, 0):  # no queue yet
            self._start(run)
        elif self.settings.dispatcher == "running":
            # the leading replica tries at once (0.15.0 and later), and then at each interval
            self._later(
                0.0 if self.version >= (0, 15, 0) else self.settings.dispatch_every_s,
                lambda: self._dispatch(run),
            )

    def _dispatch(self, run: _Run) -> None:
        if run not in self._runs or run.status != "queued":
            return
        if self._blocked(run):
            self.states.becomes(run.trigger.project, run.trigger.context, "waiting")
            self._later(self.settings.dispatch_every_s, lambda: self._dispatch(run))
            return
        self._start(run)

    def _blocked(self, run: _Run) -> bool:
        """Another sequence of the same stage and service runs, or was there first."""
        earlier = self._runs[: self._runs.index(run)]
        others = [r for r in self._runs if r.status == "started"]
        others += [r for r in earlier if r.status == "queued"]
        if any(r.place == run.place and r.trigger.context != run.trigger.context for r in others):
            return True
        return self.busy(*run.place)

    def _start(self, run: _Run) -> None:
        run.status = "started"
        self.states.becomes(run.trigger.project, run.trigger.context, "started")
        self._proceed(run, {"status": "succeeded", "result": "pass", "message": ""})

    # --- its tasks

    def _proceed(self, run: _Run, last: dict[str, str]) -> None:
        """The next task, or the end: after the last one, or after one that failed."""
        tasks = run.sequence.tasks
        failed = last["result"] == "fail" or last["status"] == "errored"
        if run.done < len(tasks) and not failed:
            self._trigger(run, tasks[run.done], last)
            return
        run.status, run.current = "over", None
        self._finish_sequence(run.trigger, last, stage=run.sequence.stage)
        following = run.shipyard.following(run.sequence, last["result"])
        if not following:
            self.states.becomes(run.trigger.project, run.trigger.context, "finished")
        for sequence in following:
            self._send(
                f"{sequence.stage}.{sequence.name}.triggered",
                run.trigger,
                {**run.properties, **last, **_scope(run.trigger), "stage": sequence.stage},
            )

    def _trigger(self, run: _Run, task: Task, last: dict[str, str]) -> None:
        data = {**run.properties, **last, **_scope(run.trigger), "message": ""}
        if task.properties:
            data = _merged(data, {task.name: task.properties})
        event = self._made(f"{task.name}.triggered", run.trigger, data, after_s=task.after_s)
        run.current = _Current(task=task, event=event)
        self.open.append(event)
        self.states.saw(event, self.clock())
        self._later(task.after_s, lambda: self._publish_task(event))
        if self.version >= (0, 9, 0):
            wait = task.after_s + self.settings.started_within_s
            self._later(wait, lambda: self._time_out(run, event))
        self.opened(event)

    def _publish_task(self, event: Event) -> None:
        if any(e.id == event.id for e in self.open):
            self.publish(event)

    def _task_event(self, event: Event) -> None:
        run = next(
            (
                r
                for r in self._runs
                if r.current is not None
                and r.current.event.id == event.triggered_id
                and (r.trigger.project, r.trigger.context) == (event.project, event.context)
            ),
            None,
        )
        if run is None or run.current is None:
            self._write(
                "info",
                f"The received {event.type} event with keptn context {event.context} is not "
                "accociated with a task that was previously triggered",
            )
            return
        self._task_events.append(event)
        self.states.saw(event, self.clock())
        current = run.current
        if event.kind == "started":
            current.started += 1
        else:
            current.finished.append(event)
        if len(current.finished) == current.started:
            self._complete(run, current)

    def _complete(self, run: _Run, current: _Current) -> None:
        """As many ``.finished`` as ``.started``: the worst result counts."""
        self.open = [e for e in self.open if e.id != current.event.id]
        run.current, run.done = None, run.done + 1
        found = [e.data for e in current.finished]
        for data in found:
            more = {k: v for k, v in data.items() if k not in _OWN_FIELDS}
            run.properties = _merged(run.properties, more)
        worst = next(
            (d for d in found if d.get("status") == "errored" or d.get("result") == "fail"),
            next((d for d in found if d.get("result") == "warning"), found[-1]),
        )
        last = {key: str(worst.get(key) or "") for key in ("status", "result", "message")}
        self._proceed(run, last)

    def _time_out(self, run: _Run, event: Event) -> None:
        """Nobody started the task; its event stays open."""
        current = run.current
        if run not in self._runs or current is None or current.event.id != event.id:
            return
        if current.started:
            return
        self._write("info", f"sequence {run.trigger.context} has been timed out")
        run.status, run.current = "over", None
        self.states.becomes(run.trigger.project, run.trigger.context, "timedOut")
        text = (
            f"sequence timed out while waiting for task {event.type} to receive a correlating "
            ".started or .finished event"
        )
        last = {"status": "errored", "result": "fail", "message": text}
        self._finish_sequence(run.trigger, last, stage=run.sequence.stage)

    # --- what it sends

    def _finish_sequence(self, trigger: Event, last: dict[str, str], *, stage: str) -> None:
        event = self._made(
            f"{stage}.{trigger.parts[1]}.finished", trigger, {**_scope(trigger), **last}
        )
        event = Event(
            id=event.id, type=event.type, source=event.source, time=event.time,
            context=event.context, triggered_id=trigger.id, data=event.data,
        )  # fmt: skip
        self.states.saw(event, self.clock())
        self.publish(event)

    def _send(self, name: str, trigger: Event, data: dict[str, Any]) -> None:
        self.publish(self._made(name, trigger, data))

    def _made(
        self, name: str, trigger: Event, data: dict[str, Any], *, after_s: float = 0.0
    ) -> Event:
        """An event of its own, by the clock of the replica that makes it."""
        ahead = timedelta(seconds=after_s + self.settings.clock_ahead_s)
        return Event(
            id=new_id(),
            type=f"sh.keptn.event.{name}",
            source=SOURCE,
            time=self.clock() + ahead,
            context=trigger.context,
            data=data,
        )

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something from the event loop after a time, unless the lab is closed before."""

        def act() -> None:
            self._pending.discard(handle)
            action()

        handle = asyncio.get_running_loop().call_later(delay_s, act)
        self._pending.add(handle)

    def _write(self, level: str, text: str) -> None:
        self.log.append((self.clock(), level, text))


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both, and of what both have as objects the same; else the second counts."""
    found = dict(one)
    for key, value in other.items():
        known = found.get(key)
        both = isinstance(known, dict) and isinstance(value, dict)
        found[key] = _merged(known, value) if both else value  # type: ignore[arg-type]
    return found


def _scope(event: Event) -> dict[str, Any]:
    scope: dict[str, Any] = {
        "project": event.project,
        "stage": event.stage,
        "service": event.service,
    }
    if event.data.get("labels"):
        scope["labels"] = event.data["labels"]
    return scope
