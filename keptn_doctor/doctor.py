"""The straight line: targets, discover, observe, snapshot, judge, report.

Everything up to the snapshot may wait and may fail; everything after it is pure. It can be read
aloud in a minute, and nothing else decides the order of a run.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from keptn_doctor import __version__, exit_codes
from keptn_doctor.discover import Found, find
from keptn_doctor.model.evidence import NotAttempted, Snapshot, Timing
from keptn_doctor.model.report import Report
from keptn_doctor.model.times import RunTimes
from keptn_doctor.model.topology import Topology
from keptn_doctor.probes.budget import Budget
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.progress import Progress, Quiet
from keptn_doctor.renderers.wording import count
from keptn_doctor.session import Session
from keptn_doctor.signals import Interruption, clean_up, run_until_stopped
from keptn_doctor.targets import Targets

if TYPE_CHECKING:
    from keptn_doctor.catalogue import Catalogue

_GRACE_S = 2.0  # for a round to put together what it has, when the user stops it


def utc_now() -> datetime:
    return datetime.now(UTC)


async def examine(
    targets: Targets,
    *,
    progress: Progress | None = None,
    interruption: Interruption | None = None,
    now: Callable[[], datetime] = utc_now,
    meanwhile: Callable[[], object] = lambda: None,
    start_up_ms: float = 0.0,
) -> Snapshot:
    """All the looking of a run; what was seen until an interruption or the deadline counts.

    ``interruption`` must be watching already; without one nothing interrupts the run. ``meanwhile``
    is called in a thread, for work that can be done while answers are awaited; what it raises is
    not told here. ``start_up_ms`` is what the process needed to come here.
    """
    began = time.perf_counter()
    progress, interruption = progress or Quiet(), interruption or Interruption()
    budget = Budget(targets.deadlines.budget_s) if targets.deadlines.budget_s else None
    recorder = Recorder(now=now, on_look=progress.look, budget=budget)
    session = Session(
        targets,
        recorder,
        salt=os.urandom(16),
        now=now,
        stop=interruption.stop,
        budget=budget,
    )
    looking = _Looking(session, progress, interruption)
    waiting = asyncio.ensure_future(asyncio.to_thread(_use_the_wait, meanwhile))
    finished = await looking.to_the_end()
    if not finished:
        recorder.skip(looking.rest("interrupted", "the run was stopped", "run it to its end"))
    await clean_up(session.janitor.clean, limit_s=session.janitor.limit_s)
    await clean_up(session.aclose)
    if finished and not (await asyncio.wait({waiting}))[1]:
        waiting.exception()  # it is met again by whoever needs the outcome
    return Snapshot(
        taken_at=now(),
        doctor_version=__version__,
        topology=looking.topology,
        observations=tuple(recorder.observations),
        not_attempted=tuple(recorder.not_attempted),
        timings=tuple(looking.timings),
        times=RunTimes(
            start_up_ms=start_up_ms,
            looking_ms=round((time.perf_counter() - began) * 1000, 1),
            spans=tuple(recorder.spans),
        ),
        interrupted=not finished,
        created=session.janitor.created,
        remaining=session.janitor.remaining,
    )


def report_on(snapshot: Snapshot, catalogue: Catalogue) -> Report:
    """Judge what was seen, now or long ago: pure, the same report for ever."""
    from keptn_doctor.judgement.assemble import assemble  # noqa: PLC0415 - not before the looking

    report = assemble(snapshot, catalogue)
    if snapshot.interrupted:
        return msgspec.structs.replace(report, exit_code=exit_codes.INTERRUPTED)
    return report


def _use_the_wait(meanwhile: Callable[[], object]) -> None:
    """What takes time but no answer: the first round waits for the network, imports do not.

    The libraries for names and port-forwards are not needed before the second round; importing
    them here, and not with this module, sends the first request earlier.
    """
    import keptn_doctor.judgement.assemble  # noqa: PLC0415
    import keptn_doctor.observe  # noqa: PLC0415
    import keptn_doctor.probes.dns  # noqa: PLC0415
    import keptn_doctor.probes.websocket  # noqa: F401, PLC0415
    from keptn_doctor.knowledge import signatures  # noqa: PLC0415

    signatures.load_usual()
    meanwhile()


class _Looking:
    """The two rounds of looking, and how far they have come."""

    def __init__(self, session: Session, progress: Progress, interruption: Interruption) -> None:
        self._session = session
        self._progress = progress
        self._interruption = interruption
        self._stage = ""
        self.topology = Topology()
        self._found: Found | None = None
        self.timings: list[Timing] = []

    async def to_the_end(self) -> bool:
        """Both rounds; False when the user stopped them."""
        limit = self._session.targets.deadlines.run_s
        try:
            async with asyncio.timeout(limit):
                await run_until_stopped(self._discover(), self._interruption, grace_s=_GRACE_S)
                if not self._interruption.count:
                    await run_until_stopped(self._observe(), self._interruption, grace_s=_GRACE_S)
        except TimeoutError:
            reason = f"the run came to its limit of {limit:g} s"
            unlock = f"give it more time: --timeout {2 * limit:g}"
            self._session.recorder.skip(self.rest("limit", reason, unlock))
        return not self._interruption.count

    async def _discover(self) -> None:
        with self._timed("discover", "finding Keptn services"):
            self._found = await find(self._session)
            self.topology = self._found.topology

    async def _observe(self) -> None:
        from keptn_doctor.observe import observe  # noqa: PLC0415 - see _use_the_wait

        found = self._found
        if found is None:
            return
        with self._timed("observe", self._what_there_is()):
            async with asyncio.TaskGroup() as group:
                group.create_task(found.rest())
                self.topology = await observe(self._session, found.topology, late=found.late)

    def rest(self, kind: Literal["interrupted", "limit"], reason: str, unlock: str) -> NotAttempted:
        """What was not looked at any more, as a line of the report's coverage."""
        return NotAttempted(
            probe="the rest", subject=self._stage or "the run", kind=kind, reason=reason,
            unlock=unlock, asked_for=self._session.targets.round_trip,
        )  # fmt: skip

    def _what_there_is(self) -> str:
        services, endpoints = len(self.topology.services), len(self.topology.endpoints)
        return f"looking at {count(services, 'Keptn service')} and {count(endpoints, 'endpoint')}"

    @contextmanager
    def _timed(self, stage: str, text: str) -> Iterator[None]:
        self._stage = stage
        self._progress.stage(text)
        began = time.perf_counter()
        try:
            yield
        finally:
            elapsed = round((time.perf_counter() - began) * 1000, 1)
            self.timings.append(Timing(stage=stage, duration_ms=elapsed))
