"""How a run spends a time that it was given (``--budget``): what decides verdicts comes first.

Looks have a rank by what they tell for the time they take. Without a budget the rank only says who
goes first where several wait for a turn. With one, looks of a lower rank are begun only while there
is plenty left, and no single look may use up more than half of what is left: a dead host must not
eat what the others need. Nothing that the budget stopped is evidence: a look that was cut short
says nothing about the world, so it becomes a line of coverage and never a failure.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from keptn_doctor.model.evidence import NotAttempted

DECIDES, EXPLAINS, COMPLETES = 0, 1, 2
_RANKS = {
    # What shows where a path breaks and why, once it is known that it does.
    "nodes": EXPLAINS,
    "namespace": EXPLAINS,
    "component-services": EXPLAINS,
    "network-policies": EXPLAINS,
    "gateway-log": EXPLAINS,
    "integration-log": EXPLAINS,
    "open-events": EXPLAINS,
    # What few verdicts need, or only their completeness.
    "rights": COMPLETES,
    "claims": COMPLETES,
    "load-balancer-provider": COMPLETES,
    "projects": COMPLETES,
    "sequences": COMPLETES,
    "past-answers": COMPLETES,
    "old-events": COMPLETES,
}
# The user asked for these by an option of their own, and half of one leaves things behind.
_WHOLE = frozenset({"round-trip", "pod-probe"})
_BEGUN_UNTIL = {DECIDES: 1.0, EXPLAINS: 0.75, COMPLETES: 0.5}  # of the budget
_SEARCH, _LOOK = 0.5, 0.5  # of the budget, and of what is left of it
_LEAST_S = 0.2


def rank(probe: str, subject: str) -> int:
    """How much a look tells; the control plane's logs explain, those of services decide."""
    if probe == "pod-log" and subject.startswith("control-plane/"):
        return EXPLAINS
    return _RANKS.get(probe, DECIDES)


class Budget:
    """Seconds for all the looking of a run; the clock runs from the start."""

    def __init__(self, total_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.total_s = total_s
        self._clock, self._began = clock, clock()

    @property
    def search_s(self) -> float:
        """The most that the search of one cluster may take."""
        return _SEARCH * self.total_s

    def left_s(self) -> float:
        return max(0.0, self._began + self.total_s - self._clock())

    def admits(self, probe: str, subject: str) -> bool:
        """Whether a look of this kind may still begin."""
        used = 1 - self.left_s() / self.total_s
        return probe in _WHOLE or used < _BEGUN_UNTIL[rank(probe, subject)]

    def deadline_s(self, probe: str, wanted_s: float) -> float:
        """``wanted_s``, or less when the look must leave something to the others."""
        if probe in _WHOLE:
            return wanted_s
        return min(wanted_s, max(_LEAST_S, _LOOK * self.left_s()))

    def note(self, probe: str, subject: str, *, begun: bool) -> NotAttempted:
        """The line of coverage of a look that the budget left out, or cut short once begun."""
        what = "not finished within" if begun else "left out to stay within"
        return NotAttempted(
            probe=probe,
            subject=subject,
            kind="limit",
            reason=f"{what} the budget of {self.total_s:g} s",
            unlock=f"give it more time: --budget {2 * self.total_s:g}s, or none",
        )
