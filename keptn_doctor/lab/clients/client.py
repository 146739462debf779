"""One Keptn service's client in the lab: rehearse its calls, derive its past, serve its present.

A rehearsal makes every call once through wire, DNS, TLS and gateway, and leaves no trace in the
control plane but the registration itself. From the outcomes and the time it has been running follow
restarts, logs and heartbeats; ``ClientRun`` carries them. Nothing runs on in the background.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from keptn_doctor.lab.clients.calls import Caller
from keptn_doctor.lab.clients.history import History, Phase, Process, Span, derive
from keptn_doctor.lab.clients.log import Timed, Writer
from keptn_doctor.lab.clients.ports import OpenPort, ports_of
from keptn_doctor.lab.clients.rules import Rules
from keptn_doctor.lab.keptn.registrations import Pulse
from keptn_doctor.lab.settings import ClientSettings, PodSettings

_LIVE_LINES = 1000
_MOST_PULSES = 50
_EARLIEST = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """How a container ended the time before."""

    started_at: datetime
    finished_at: datetime
    exit_code: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """The client container's state, as a kubelet reports it."""

    state: Literal["running", "waiting", "terminated"]
    reason: str = ""  # CrashLoopBackOff when waiting
    started_at: datetime | None = None
    restarts: int = 0
    last: LastRun | None = None
    ready: bool = True  # what the chart's readiness probe says of this container


@dataclass(slots=True, kw_only=True)
class PodRun:
    """One replica's client: state, logs, ports."""

    pod: PodSettings
    caller: Caller
    writer: Writer
    clock: Callable[[], datetime]
    phases: tuple[Phase, ...] = ()
    history: History = field(default_factory=lambda: History(processes=(), restarts=0))
    ports: tuple[OpenPort, ...] = ()
    live: deque[Timed] = field(default_factory=lambda: deque(maxlen=_LIVE_LINES))

    @property
    def rules(self) -> Rules:
        return self.caller.rules

    @property
    def stopped(self) -> bool:
        """The workload is gone; only its record may be left."""
        return self.caller.settings.stopped_ago_s is not None

    def derive(self, begin: datetime, end: datetime) -> None:
        """Work the past out again, from the phases as they are now."""
        self.history = derive(
            self.rules,
            self.phases,
            begin=begin,
            now=end,
            out_of_memory_every_s=self.caller.settings.out_of_memory_every_s,
        )
        if self.stopped:
            for process in self.history.processes:
                process.spans = [replace(s, end=min(s.end or end, end)) for s in process.spans]

    def container(self) -> ContainerState:
        """The state of the client's container now."""
        current = self.history.processes[-1]
        ended = [p for p in self.history.processes if p.end is not None]
        last = _last_run(ended[-1]) if ended else None
        if self.history.waiting_since is not None:
            return ContainerState(
                state="waiting",
                reason="CrashLoopBackOff",
                restarts=self.history.restarts,
                last=last,
                ready=False,
            )
        return ContainerState(
            state="running",
            started_at=current.begin,
            restarts=self.history.restarts,
            last=last,
            ready=self.rules.kind == "distributor" or self.is_registered(),
        )

    def is_registered(self) -> bool:
        """Whether the running process has registered since it started."""
        return self.is_alive() and self.history.processes[-1].registered_at is not None

    def is_alive(self) -> bool:
        """Whether the process runs now."""
        return not self.stopped and self.history.waiting_since is None

    @property
    def integration_id(self) -> str:
        """The id that the present process got, "" for none."""
        return self.history.processes[-1].integration_id if self.history.processes else ""

    def log(self, *, since: datetime | None = None) -> tuple[Timed, ...]:
        """Lines of the present run (of the last one while the container waits), oldest first."""
        if not self.history.processes:
            return ()
        now = self.clock()
        lines = self.writer.lines(self.history.processes[-1], since or now - _EARLIEST, now)
        live = [line for line in self.live if since is None or line[0] >= since]
        return tuple(sorted([*lines, *live], key=lambda line: line[0]))

    def previous_log(self) -> tuple[Timed, ...] | None:
        """Lines of the run before; None when there was none."""
        ended = [p for p in self.history.processes if p.end is not None]
        if not ended:
            return None
        now = self.clock()
        return tuple(self.writer.lines(ended[-1], now - _EARLIEST, now))

    def open_ports(self) -> None:
        """Make the pod's ports; nothing listens before the first connection."""
        found = ports_of(self.caller, registered=self.is_registered, log=self.live.append)
        self.ports = tuple(OpenPort(port, alive=self.is_alive, clock=self.clock) for port in found)

    def pulses(self) -> tuple[tuple[str, Pulse], ...]:
        """Heartbeats of this replica by registration id."""
        found = [pair for process in self.history.processes for pair in _pulses(process)]
        return tuple(found[-_MOST_PULSES:])


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRun:
    """One Keptn service with all its replicas."""

    settings: ClientSettings
    pods: tuple[PodRun, ...]

    @property
    def subject(self) -> str:
        return f"{self.settings.plane}/{self.settings.namespace}/{self.settings.name}"


def _last_run(process: Process) -> LastRun:
    return LastRun(
        started_at=process.begin,
        finished_at=process.end or process.begin,
        exit_code=process.exit_code,
        reason=process.reason,
    )


def _pulses(process: Process) -> list[tuple[str, Pulse]]:
    """One beat for the registration itself, then the heartbeats that got through."""
    if process.registered_at is None or not process.integration_id:
        return []
    at = process.registered_at
    found = [(process.integration_id, Pulse(begin=at, period_s=1.0, end=at))]
    for span in process.spans:
        good = sum(outcome.ok for outcome in span.outcomes)
        if span.kind != "ping" or not good:
            continue
        period = span.period_s * len(span.outcomes) / good
        found.append(
            (process.integration_id, Pulse(begin=span.begin, period_s=period, end=span.end))
        )
    return found


def traffic_spans(run: PodRun, since: datetime) -> list[Span]:
    """The calls of all processes that were still going on after ``since``."""
    return [
        span
        for process in run.history.processes
        for span in process.spans
        if span.end is None or span.end >= since
    ]
