"""The border around every probe: deadline, clock, and the one place where a probe's bug is stopped.

A recorder keeps what has been seen so far, so an interrupted run still has its evidence. It never
retries and never judges.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from keptn_doctor.model.evidence import NotAttempted, Observation
from keptn_doctor.model.facts import Fact
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.topology import OPERATOR, Vantage
from keptn_doctor.probes.failures import WorldFault, classify

F = TypeVar("F")


class Recorder:
    """Collects the observations of one run in the order in which they were finished."""

    def __init__(
        self, *, now: Callable[[], datetime], on_look: Callable[[str, str], None] | None = None
    ) -> None:
        self._now = now
        self._on_look = on_look
        self.observations: list[Observation] = []
        self.not_attempted: list[NotAttempted] = []

    async def look(
        self,
        probe: str,
        subject: str,
        looking: Awaitable[F | Failure],
        *,
        deadline_s: float,
        vantage: Vantage = OPERATOR,
        part: str = "",
    ) -> F | Failure:
        """Await one look and record its outcome; ``F`` must be one of the facts.

        ``part`` tells looks of one probe at one subject apart (a pod, a namespace). Never raises
        but for cancellation, which is recorded first.
        """
        started_at, clock = self._now(), time.perf_counter()
        if self._on_look:
            self._on_look(probe, subject)
        result: F | Failure
        try:
            async with asyncio.timeout(deadline_s):
                result = await looking
        except TimeoutError:
            result = Failure(
                phase="deadline", code="deadline-exceeded", detail=f"no answer in {deadline_s:g} s"
            )
        except asyncio.CancelledError:
            interrupted = Failure(phase="deadline", code="interrupted", detail="the run was stopped")
            self._keep(probe, subject, vantage, part, started_at, clock, interrupted)
            raise
        except WorldFault as fault:
            result = fault.failure
        except Exception as error:  # noqa: BLE001 - border one of two: around a probe
            result = classify(error) or _bug(error)
        self._keep(probe, subject, vantage, part, started_at, clock, result)
        return result

    def skip(self, note: NotAttempted) -> None:
        """Record a look that was not taken."""
        if note not in self.not_attempted:
            self.not_attempted.append(note)

    def facts(self, kind: type[F]) -> list[tuple[str, F]]:
        """All facts of one type seen so far, with their subjects."""
        return [(o.subject, o.result) for o in self.observations if isinstance(o.result, kind)]

    def _keep(
        self,
        probe: str,
        subject: str,
        vantage: Vantage,
        part: str,
        started_at: datetime,
        clock: float,
        result: object,
    ) -> None:
        name = f"{probe}/{subject}" + (f"#{part}" if part else "") + f"@{vantage}"
        seen = sum(1 for o in self.observations if o.id.partition("~")[0] == name)
        if not isinstance(result, (Fact, Failure)):  # type: ignore[arg-type,misc]
            raise TypeError(f"probe {probe} returned {type(result).__name__}, which is no fact")
        attempts = getattr(result, "attempts", 1)
        self.observations.append(
            Observation(
                id=f"{name}~{seen + 1}" if seen else name,
                probe=probe,
                subject=subject,
                vantage=vantage,
                started_at=started_at,
                duration_ms=round((time.perf_counter() - clock) * 1000, 1),
                attempts=attempts,
                result=result,
            )
        )


def _bug(error: Exception) -> Failure:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return Failure(
        phase="parse",
        code="probe-crashed",
        detail=f"{type(error).__name__} in {where.name}, line {where.lineno}: please report this",
    )
