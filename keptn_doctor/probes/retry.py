"""Asks again where asking again can help, and counts how often it asked.

A refusal is an answer: 401, 403, 404, an unknown name and a bad certificate are never asked
twice. Keptn's own limiter makes the first of these a rule and not a courtesy: every request with
a rejected token takes a turn away from the execution planes (``api/middleware/ratelimiter.go``).

A server that says when to come back (Retry-After) is not asked sooner; one that wants to be left
alone for longer than a run can wait is not asked again at all.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Code, Failure
from keptn_doctor.probes.failures import WorldFault

T = TypeVar("T")

PASSING: frozenset[Code] = frozenset(
    {
        "rate-limited",
        "connection-reset",
        "connection-closed",
        "connect-timeout",
        "read-timeout",
        "resolver-timeout",
        "server-failure",
        "truncated",
    }
)
PASSING_STATUS = frozenset({429, 503, 504})


class Attempts:
    """How often a look has asked; outlives a deadline that cuts the look short."""

    def __init__(self) -> None:
        self.made = 0


class RetryPolicy(Record, frozen=True, kw_only=True):
    """Waits of ``base_s``, twice that and so on up to ``longest_s``, each with jitter."""

    attempts: int = 3
    base_s: float = 0.3
    longest_s: float = 3.0
    jitter: float = 0.5  # share of a wait that is left to chance

    def wait_s(self, made: int, chance: float) -> float:
        """How long to wait after ``made`` attempts; ``chance`` is between 0 and 1."""
        full = min(self.base_s * 2.0 ** (made - 1), self.longest_s)
        return full * (1.0 - self.jitter * chance)


ONCE = RetryPolicy(attempts=1)
LONGEST_RETRY_AFTER_S = 10.0


async def retrying(
    ask: Callable[[], Awaitable[T]],
    *,
    attempts: Attempts | None = None,
    policy: RetryPolicy | None = None,
    again: Callable[[T], bool] = lambda _: False,
    told_to_wait: Callable[[T], float | None] = lambda _: None,
) -> T:
    """The first answer that is not worth another try, else the last answer or its WorldFault.

    ``again`` says of an answer (a 429, say) that it is worth another try, ``told_to_wait`` the
    seconds that it wants to be left alone for; a WorldFault says the latter itself.
    """
    policy, attempts = policy or RetryPolicy(), attempts or Attempts()
    for turn in range(1, policy.attempts + 1):
        attempts.made += 1
        last = turn == policy.attempts
        try:
            answer = await ask()
        except WorldFault as fault:
            told_s = fault.retry_after_s or 0.0
            if last or told_s > LONGEST_RETRY_AFTER_S or not worth_another_try(fault.failure):
                raise
        else:
            told_s = told_to_wait(answer) or 0.0
            if last or told_s > LONGEST_RETRY_AFTER_S or not again(answer):
                return answer
        own_s = policy.wait_s(turn, random.random())  # noqa: S311 - no secret
        await asyncio.sleep(max(own_s, told_s))
    raise AssertionError("unreachable: the last attempt returns or raises")


def worth_another_try(failure: Failure) -> bool:
    """Whether the same look may well succeed a moment later."""
    return failure.code in PASSING or failure.status in PASSING_STATUS
