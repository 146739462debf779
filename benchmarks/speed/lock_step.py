"""Counts the round trips that a run waits for, one after the other, without a clock.

Everything that is sent is held back until nobody has anything more to send; then all of it goes at
once, and that was one step. A run that asks ten things side by side makes one step, one that asks
them one after the other makes ten. The number is a property of the program and not of the machine.

Lab, relays and doctor share one event loop here, so that the loop knows when all are waiting.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from benchmarks.speed.relay import Connection, Relay
from benchmarks.speed.relayed import forget, relayed, seen
from benchmarks.speed.worlds import Size, scenario
from keptn_doctor.doctor import examine
from keptn_doctor.lab.start import start
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.targets import Targets

_Piece = tuple[int, Connection, asyncio.Future[None]]  # steps to wait for, where, when it goes
_TICK_S = 0.004
_STALLED_S = 3.0  # beyond all patience that the doctor has with a slow plane
_QUIET_TICKS = 4
_MANY_TICKS = 40


@dataclass(slots=True)
class LockStep(Relay):
    """A relay whose pieces travel when all are waiting.

    ``steps`` is how often that was so, ``at_once`` the most connections to one place that had
    something to send in one step. What is sent to ``stalled`` is held until nobody has sent
    anything for seconds; ``released`` is when that was, 0 when it never came to it.
    """

    stalled: str = ""
    released: float = 0.0
    steps: int = 0
    at_once: Counter[str] = field(default_factory=Counter)
    history: list[tuple[float, Counter[str]]] = field(default_factory=list)  # when, and who spoke
    _held: list[_Piece] = field(default_factory=list)
    _arrivals: int = 0
    _last_arrival: float = 0.0

    def travel(
        self, connection: Connection, *, up: bool, first: bool = False, end: bool = False
    ) -> asyncio.Future[None]:
        """What goes up waits for a step, first bytes for two; what comes down does not wait."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        self._last_arrival = time.monotonic()
        if up and not end:
            self._held.append((1 + first, connection, done))
        else:
            done.set_result(None)
        return done

    async def walk(self) -> None:
        """Make steps until cancelled."""
        while True:
            await self._quiet()
            held, self._held = self._let_go()
            if not held:
                continue
            self.steps += 1
            places = {id(connection): connection.to for _, connection, _ in held}
            speaking = Counter(places.values())
            self.history.append((time.monotonic(), speaking))
            self.at_once |= speaking
            for left, connection, done in held:
                if left > 1:
                    self._held.append((left - 1, connection, done))
                elif not done.done():
                    done.set_result(None)

    def _let_go(self) -> tuple[list[_Piece], list[_Piece]]:
        """What goes in this step, and what is held back beyond it."""
        if not self.stalled or self.released:
            return self._held, []
        others = [piece for piece in self._held if piece[1].to != self.stalled]
        if not others and time.monotonic() - self._last_arrival > _STALLED_S:
            self.released = time.monotonic()
            return self._held, []
        return others, [piece for piece in self._held if piece[1].to == self.stalled]

    async def _quiet(self) -> None:
        """Until nothing has arrived for some turns of an event loop that was idle meanwhile.

        On a machine that never lets it be idle, many turns without an arrival do.
        """
        quiet = turns = 0
        before = self._arrivals
        while quiet < _QUIET_TICKS and turns < _MANY_TICKS:
            began = time.perf_counter()
            await asyncio.sleep(_TICK_S)
            idle = time.perf_counter() - began < 2 * _TICK_S
            silent = self._arrivals == before
            quiet = quiet + 1 if idle and silent else 0
            turns = turns + 1 if silent else 0
            before = self._arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """A run in lock step: its steps, what the lab saw (``relayed.seen``) and what it found."""

    steps: int
    at_once: Counter[str]
    history: list[tuple[float, Counter[str]]]
    report: dict[str, Any]
    snapshot: Snapshot
    released: float


async def in_lock_step(size: Size, *, stalled: str = "") -> Stepped:
    """One run against a world of that size; ``stalled`` is a cluster that answers last."""
    async with start(scenario(size)) as lab:
        relay = LockStep(stalled=stalled)
        try:
            targets = patient(await relayed(lab, relay))
            since = forget(lab, relay)
            with walking(relay):
                snapshot = await examine(targets)
            return Stepped(
                steps=relay.steps, at_once=relay.at_once, history=relay.history,
                report=seen(lab, relay, since), snapshot=snapshot, released=relay.released,
            )  # fmt: skip
        finally:
            await relay.close()


def patient(targets: Targets) -> Targets:
    """With time limits that a slow machine does not come near: steps are counted, not timed."""
    limits = Deadlines(connect_s=60, request_s=60, kube_s=60, run_s=600)
    return msgspec.structs.replace(targets, deadlines=limits)


@contextmanager
def walking(relay: LockStep) -> Iterator[None]:
    """Let what is sent through the relay make its steps."""
    task = asyncio.get_running_loop().create_task(relay.walk())
    try:
        yield
    finally:
        task.cancel()
