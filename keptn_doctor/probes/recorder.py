"""The border around every probe: deadline, clock, and the one place where a probe's bug is stopped.

A recorder keeps what has been seen so far, so an interrupted run still has its evidence. It never
retries and never judges; a look that asks more than once counts in ``Attempts``, which survives the
deadline.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from keptn_doctor.model.evidence import NotAttempted, Observation
from keptn_doctor.model.facts import Fact
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.times import Span
from keptn_doctor.model.topology import OPERATOR, Vantage
from keptn_doctor.probes.at_work import time_limit
from keptn_doctor.probes.budget import Budget, rank
from keptn_doctor.probes.failures import WorldFault, classify
from keptn_doctor.probes.retry import Attempts
from keptn_doctor.probes.stopwatch import Account, account
from keptn_doctor.probes.turns import ranked

F = TypeVar("F")


class Recorder:
    """Collects the observations of one run in the order in which they were finished."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        on_look: Callable[[str, str], None] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._budget = budget
        self._now = now
        self._on_look = on_look
        self._began = time.perf_counter()
        self.clean: Callable[[str], str] = str  # a session sets that of its redactor
        self.observations: list[Observation] = []
        self.not_attempted: list[NotAttempted] = []
        self._named: Counter[str] = Counter()  # looks so far, by what their ids begin with
        self._facts: dict[type, list[tuple[str, Any]]] = {}
        self.spans: list[Span] = []  # where the time went

    async def look(
        self,
        probe: str,
        subject: str,
        looking: Awaitable[F | Failure],
        *,
        deadline_s: float,
        vantage: Vantage = OPERATOR,
        part: str = "",
        attempts: Attempts | None = None,
    ) -> F | Failure:
        """Await one look and record its outcome; ``F`` must be one of the facts.

        ``part`` tells looks of one probe at one subject apart (a pod, a namespace). ``attempts`` is
        the counter given to ``retrying`` within the look. Never raises but for cancellation, which
        is recorded first. A look that the budget does not allow is noted as not attempted, and the
        Failure that is returned then is not recorded.
        """
        budget, allowed_s = self._budget, deadline_s
        if budget is not None:
            if not budget.admits(probe, subject):
                return self._left_out(budget.note(probe, subject, begun=False), looking)
            allowed_s = budget.deadline_s(probe, deadline_s)
        look = _Look(
            probe=probe,
            subject=subject,
            vantage=vantage,
            part=part,
            started_at=self._now(),
            clock=time.perf_counter(),
            attempts=attempts or Attempts(),
            account=Account(),
        )
        if self._on_look:
            self._on_look(probe, subject)
        result: F | Failure
        try:
            with account(look.account), ranked(rank(probe, subject)):
                async with _time_limit(allowed_s, budgeted=budget is not None):
                    result = await looking
        except TimeoutError:
            if budget is not None and allowed_s < deadline_s:
                return self._left_out(budget.note(probe, subject, begun=True))
            result = Failure(
                phase="deadline", code="deadline-exceeded", detail=f"no answer in {deadline_s:g} s"
            )
        except asyncio.CancelledError:
            stopped = Failure(phase="deadline", code="interrupted", detail="the run was stopped")
            self._keep(look, stopped)
            raise
        except WorldFault as fault:
            result = fault.failure
        except Exception as error:  # noqa: BLE001 - a border: around a look
            result = classify(error) or _bug(error)
        self._keep(look, result)
        return result

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Keep the time of what is done between looks under a name ("search/exec-a")."""
        began, spent = time.perf_counter(), Account()
        try:
            with account(spent):
                yield
        finally:
            self._time(name, began, spent)

    def _time(self, name: str, began: float, spent: Account) -> None:
        duration_ms = (time.perf_counter() - began) * 1000
        if spent.requests or duration_ms >= 1:  # the others only repeat what was seen elsewhere
            self.spans.append(
                Span(
                    name=name,
                    began_ms=round((began - self._began) * 1000, 1),
                    duration_ms=round(duration_ms, 1),
                    spent=spent.total(),
                )
            )

    def _left_out(self, note: NotAttempted, looking: object = None) -> Failure:
        if isinstance(looking, Coroutine):
            looking.close()
        self.skip(note)
        return Failure(phase="deadline", code="deadline-exceeded", detail=note.reason)

    def skip(self, note: NotAttempted) -> None:
        """Record a look that was not taken."""
        note = msgspec.structs.replace(note, reason=self._fit(note.reason))
        if note not in self.not_attempted:
            self.not_attempted.append(note)

    def facts(self, kind: type[F]) -> list[tuple[str, F]]:
        """All facts of one type seen so far, with their subjects."""
        return list(self._facts.get(kind, ()))

    def _fit(self, text: str) -> str:
        """Without secrets, and fit for a report: a file name may hold bytes that are no text."""
        return self.clean(text).encode(errors="backslashreplace").decode()

    def _keep(self, look: _Look, result: object) -> None:
        part = f"#{look.part}" if look.part else ""
        name = f"{look.probe}/{look.subject}{part}@{look.vantage}"
        if not isinstance(result, (Fact, Failure)):
            kind = type(result).__name__
            raise TypeError(f"probe {look.probe} returned {kind}, which is no fact")
        if isinstance(result, Failure):  # a server may say back what it was sent
            result = msgspec.structs.replace(result, detail=self._fit(result.detail))
        self._named[name] += 1
        seen = self._named[name]
        name = f"{name}~{seen}" if seen > 1 else name
        self._facts.setdefault(type(result), []).append((look.subject, result))
        self._time(name, look.clock, look.account)
        self.observations.append(
            Observation(
                id=name,
                probe=look.probe,
                subject=look.subject,
                vantage=look.vantage,
                started_at=look.started_at,
                duration_ms=round((time.perf_counter() - look.clock) * 1000, 1),
                attempts=max(look.attempts.made, 1),
                result=result,
            )
        )


def _time_limit(seconds: float, *, budgeted: bool) -> AbstractAsyncContextManager[object]:
    """A budget is of true time; without one, waiting for oneself is no fault of the world."""
    return asyncio.timeout(seconds) if budgeted else time_limit(seconds)


class _Look(msgspec.Struct, frozen=True, kw_only=True):
    probe: str
    subject: str
    vantage: Vantage
    part: str
    started_at: datetime
    clock: float
    attempts: Attempts
    account: Account


def _bug(error: Exception) -> Failure:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return Failure(
        phase="parse",
        code="probe-crashed",
        detail=f"{type(error).__name__} in {where.name}, line {where.lineno}: please report this",
    )
