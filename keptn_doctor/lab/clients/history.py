"""The past of one client, derived: processes, restarts, heartbeats, polls, from outcomes and time.

Nothing is stepped through second by second. A process is a few fixed moments and some *spans*
(something that happens every so often and ends in a cycle of outcomes); logs, registrations and
gateway logs are read out of the spans when somebody asks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from keptn_doctor.lab.clients.calls import Calls, Outcome
from keptn_doctor.lab.clients.rules import Rules
from keptn_doctor.lab.settings import SubscriptionSettings

_BACK_OFF_S = (0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)  # kubelet
_BACK_OFF_RESET = timedelta(minutes=10)
_MOST_PROCESSES = 400
_START_S = 0.4  # from the start of a container to the first call
_SDK_PING_PAUSE_S = 3.0

SpanKind = Literal["register", "ping", "poll"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A time during which the world stayed as it is; ``end`` None reaches into the future."""

    begin: datetime
    end: datetime | None
    calls: Calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A call that is made every ``period_s`` from ``begin`` to ``end`` (None: still)."""

    kind: SpanKind
    begin: datetime
    end: datetime | None
    period_s: float
    outcomes: tuple[Outcome, ...]
    subscription: SubscriptionSettings | None = None
    first: int = 0  # number of the first call, for counters in logs

    def ticks(self, since: datetime, until: datetime) -> Iterator[tuple[int, datetime, Outcome]]:
        """Number, moment and outcome of each call in a window."""
        last = until if self.end is None else min(until, self.end)
        period = timedelta(seconds=self.period_s)
        index = max(0, math.ceil((since - self.begin) / period))
        moment = self.begin + index * period
        while moment <= last:
            yield self.first + index, moment, self.outcomes[index % len(self.outcomes)]
            index += 1
            moment = self.begin + index * period


@dataclass(slots=True, kw_only=True)
class Process:
    """One run of the container; ``end`` None while it lives."""

    begin: datetime
    end: datetime | None = None
    exit_code: int = 0
    reason: str = ""
    registered_at: datetime | None = None
    integration_id: str = ""
    gave_up: Literal["", "registration", "heartbeat", "poll", "fatal"] = ""
    spans: list[Span] = field(default_factory=list)
    phase: Phase | None = None

    def exits(
        self,
        at: datetime,
        code: int,
        gave_up: Literal["", "registration", "heartbeat", "poll", "fatal"],
    ) -> None:
        self.end, self.exit_code, self.gave_up = at, code, gave_up
        self.reason = "Completed" if code == 0 else "Error"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All processes of one container, oldest first, and how often the kubelet restarted it."""

    processes: tuple[Process, ...]
    restarts: int
    waiting_since: datetime | None = None  # CrashLoopBackOff since then


def derive(
    rules: Rules,
    phases: tuple[Phase, ...],
    *,
    begin: datetime,
    now: datetime,
    out_of_memory_every_s: float = 0.0,
) -> History:
    """Run the container from ``begin`` until ``now``."""
    processes: list[Process] = []
    start, step, restarts = begin, 0, 0
    for _ in range(_MOST_PROCESSES):
        process = run(rules, phases, begin=start, now=now)
        if out_of_memory_every_s:
            _kill(process, start + timedelta(seconds=out_of_memory_every_s), now)
        processes.append(process)
        if process.end is None or process.end > now:
            process.end = None
            return History(processes=tuple(processes), restarts=restarts)
        if process.end - process.begin >= _BACK_OFF_RESET:
            step = 0
        pause = _BACK_OFF_S[min(step, len(_BACK_OFF_S) - 1)]
        step += 1
        start = process.end + timedelta(seconds=pause)
        if start > now:
            return History(processes=tuple(processes), restarts=restarts, waiting_since=process.end)
        restarts += 1
        skipped = _skip(process, phases, start, step, now)
        restarts += skipped[0]
        start = skipped[1]
    return History(processes=tuple(processes), restarts=restarts)


def _skip(
    process: Process, phases: tuple[Phase, ...], start: datetime, step: int, now: datetime
) -> tuple[int, datetime]:
    """Jump over rounds of a settled crash loop that would all be the same; keep the last few."""
    if step <= len(_BACK_OFF_S) or process.end is None or start < phases[-1].begin:
        return 0, start
    cycle = (process.end - process.begin) + timedelta(seconds=_BACK_OFF_S[-1])
    rounds = int((now - start) / cycle) - 3
    return (rounds, start + rounds * cycle) if rounds > 0 else (0, start)


def _kill(process: Process, at: datetime, now: datetime) -> None:
    if at > now or (process.end is not None and process.end <= at):
        return
    process.end, process.exit_code, process.reason = at, 137, "OOMKilled"
    process.gave_up = ""
    process.spans = [replace(s, end=min(s.end or at, at)) for s in process.spans if s.begin <= at]


def _phase(phases: tuple[Phase, ...], at: datetime) -> Phase:
    return next((p for p in phases if p.end is None or at < p.end), phases[-1])


def run(rules: Rules, phases: tuple[Phase, ...], *, begin: datetime, now: datetime) -> Process:
    """One process from its start until it ends or ``now``."""
    process = Process(begin=begin, phase=_phase(phases, begin))
    at = begin + timedelta(seconds=_START_S)
    calls = _phase(phases, at).calls
    if calls.fatal:
        process.exits(at, 1, "fatal")
        return process
    ready = _register(rules, phases, process, at, now)
    if ready is None:
        return process
    if calls.fatal_later:
        process.exits(ready, 2 if calls.panics else 1, "fatal")
        return process
    _beat(rules, phases, process, ready, now)
    _poll(rules, phases, process, ready, now)
    _cut(process, now)
    return process


def _register(
    rules: Rules, phases: tuple[Phase, ...], process: Process, at: datetime, now: datetime
) -> datetime | None:
    """When the process goes on after registration; None when it never does."""
    if rules.heartbeat == "none" or _phase(phases, at).calls.skipped:
        return at
    first = at
    outcomes: list[Outcome] = []
    for _ in range(rules.tries):
        phase = _phase(phases, at)
        outcome = phase.calls.register
        if outcome.took_s == math.inf:
            return None
        outcomes.append(outcome)
        at += timedelta(seconds=outcome.took_s)
        if outcome.ok:
            process.registered_at = at
            process.integration_id = phase.calls.integration_id
            break
        if at > now:
            break
        at += timedelta(seconds=rules.pause_s)
    period = max(0.1, outcomes[0].took_s + rules.pause_s)
    process.spans.append(
        Span(
            kind="register",
            begin=first + timedelta(seconds=outcomes[0].took_s),
            end=first + timedelta(seconds=outcomes[0].took_s + period * (len(outcomes) - 1)),
            period_s=period,
            outcomes=tuple(outcomes),
        )
    )
    if process.registered_at is not None or rules.when_refused == "background":
        return process.registered_at or first
    if at > now:
        return None
    if rules.when_refused == "exit":
        process.exits(at, 1, "registration")
        return None
    return at


def _segments(
    phases: tuple[Phase, ...], begin: datetime, now: datetime
) -> Iterator[tuple[Phase, datetime, datetime]]:
    for phase in phases:
        start = max(begin, phase.begin)
        end = now if phase.end is None else min(phase.end, now)
        if start < end:
            yield phase, start, end


def _beat(
    rules: Rules, phases: tuple[Phase, ...], process: Process, ready: datetime, now: datetime
) -> None:
    """Heartbeats, and the end of the process when they fail for too long."""
    if rules.heartbeat == "none" or _phase(phases, ready).calls.skipped:
        return
    pause = 0.0 if rules.kind == "sdk" else rules.heartbeat_s
    cursor, failures = ready + timedelta(seconds=pause), 0
    for phase, start, end in _segments(phases, cursor, now):
        outcomes = _heartbeats(rules, phase.calls)
        if any(o.took_s == math.inf for o in outcomes):
            process.spans.append(_one(outcomes[:1], max(cursor, start)))
            return
        cursor = max(cursor, start)
        period = rules.heartbeat_s + max((o.took_s for o in outcomes if not o.ok), default=0.0)
        if rules.kind == "sdk" and rules.most_heartbeats and not any(o.ok for o in outcomes):
            period = _SDK_PING_PAUSE_S + outcomes[0].took_s
        ticks = int((end - cursor).total_seconds() // period) + 1
        lost = _lost_after(outcomes, failures, rules.most_heartbeats)
        if lost is not None and lost <= ticks:
            last = cursor + timedelta(seconds=period * (lost - 1))
            process.spans.append(
                Span(
                    kind="ping",
                    begin=cursor,
                    end=last,
                    period_s=period,
                    outcomes=outcomes,
                    first=failures,
                )
            )
            gave_up = last + timedelta(seconds=period)
            process.exits(gave_up, 1 if rules.kind == "sdk" else 0, "heartbeat")
            return
        process.spans.append(
            Span(
                kind="ping",
                begin=cursor,
                end=None if phase.end is None else end,
                period_s=period,
                outcomes=outcomes,
                first=failures,
            )
        )
        failures = 0 if any(o.ok for o in outcomes) else failures + ticks
        cursor += timedelta(seconds=period * ticks)


def _one(outcomes: tuple[Outcome, ...], at: datetime) -> Span:
    return Span(kind="ping", begin=at, end=at, period_s=1.0, outcomes=outcomes)


def _heartbeats(rules: Rules, calls: Calls) -> tuple[Outcome, ...]:
    return (calls.register,) if rules.heartbeat == "reregister" else calls.pings


def _lost_after(outcomes: tuple[Outcome, ...], failures: int, most: int) -> int | None:
    """After how many heartbeats the process gives up; None when it does not."""
    if not most:
        return None
    in_a_row = failures
    for count in range(1, most + len(outcomes) * 2 + 1):
        in_a_row = 0 if outcomes[(count - 1) % len(outcomes)].ok else in_a_row + 1
        if in_a_row >= most:
            return count
    return None


def _poll(
    rules: Rules, phases: tuple[Phase, ...], process: Process, ready: datetime, now: datetime
) -> None:
    """Poll rounds: all topics one after the other, every ``poll_s``."""
    begin = _polls_from(rules, process, ready)
    if begin is None:
        return
    failures = 0
    for phase, start, end in _segments(phases, begin, now):
        wanted = phase.calls.subscriptions
        if not wanted:
            continue
        rounds = [phase.calls.polls.get(_key(s), (Outcome(ok=True),)) for s in wanted]
        slow = sum(
            max(o.took_s for o in outcomes if not o.ok) if not all(o.ok for o in outcomes) else 0.0
            for outcomes in rounds
        )
        cursor = max(begin, start)
        still = None if phase.end is None else end
        if slow == math.inf:
            process.spans += [
                _first_only(s, o, cursor) for s, o in zip(wanted, rounds, strict=True)
            ][:1]
            return
        period = rules.poll_s + slow
        lost = _rounds_left(rounds, rules.most_polls, failures)
        if lost is not None and cursor + timedelta(seconds=period * lost) <= end:
            still = cursor + timedelta(seconds=period * (lost - 1))
            if process.end is None or still < process.end:
                process.exits(still + timedelta(seconds=0.1), 1, "poll")
        process.spans += [
            Span(
                kind="poll",
                begin=cursor,
                end=still,
                period_s=period,
                outcomes=outcomes,
                subscription=subscription,
            )
            for subscription, outcomes in zip(wanted, rounds, strict=True)
        ]
        if process.gave_up == "poll":
            return
        failures += _failed(rounds, int((end - cursor).total_seconds() // period))


def _first_only(
    subscription: SubscriptionSettings, outcomes: tuple[Outcome, ...], at: datetime
) -> Span:
    return Span(
        kind="poll",
        begin=at,
        end=at,
        period_s=1.0,
        outcomes=outcomes[:1],
        subscription=subscription,
    )


def _key(subscription: SubscriptionSettings) -> str:
    return subscription.id or subscription.event


def _polls_from(rules: Rules, process: Process, ready: datetime) -> datetime | None:
    """When polling begins: from 0.9 only after a heartbeat that brought subscriptions."""
    offset = timedelta(seconds=rules.poll_s)
    if rules.polls_environment:
        return process.begin + offset
    good = next((m for s in process.spans if s.kind == "ping" for _, m, o in _few(s) if o.ok), None)
    if good is None:
        return None
    return max(ready, good) + (timedelta(seconds=1) if rules.kind == "sdk" else offset)


def _few(span: Span) -> Iterator[tuple[int, datetime, Outcome]]:
    return span.ticks(
        span.begin, span.begin + timedelta(seconds=span.period_s * len(span.outcomes))
    )


def _failed(rounds: list[tuple[Outcome, ...]], count: int) -> int:
    """Failed rounds among ``count``: a round fails when one of its polls does."""
    longest = max(len(outcomes) for outcomes in rounds)
    bad = sum(any(not o[i % len(o)].ok for o in rounds) for i in range(longest))
    return count * bad // longest


def _rounds_left(rounds: list[tuple[Outcome, ...]], most: int, failures: int) -> int | None:
    """After how many rounds an SDK client has failed too often in its life; None = never."""
    longest = max(len(outcomes) for outcomes in rounds)
    if not most or not _failed(rounds, longest):
        return None
    count = 0
    while failures < most:
        failures += any(not o[count % len(o)].ok for o in rounds)
        count += 1
    return count


def _cut(process: Process, now: datetime) -> None:
    """Nothing happens after the end of the process."""
    if process.end is None or process.end > now:
        return
    end = process.end
    process.spans = [
        replace(s, end=end if s.end is None else min(s.end, end))
        for s in process.spans
        if s.begin <= end
    ]
