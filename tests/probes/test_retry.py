"""Asking again is for what may pass; a refusal is asked once, and the count is evidence."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keptn_doctor.model.failure import Code, Failure
from keptn_doctor.model.keptn_facts import RoundTrip
from keptn_doctor.probes.failures import WorldFault, fault
from keptn_doctor.probes.http import retry_after_s
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.probes.retry import Attempts, RetryPolicy, retrying, worth_another_try

QUICK = RetryPolicy(attempts=3, base_s=0.001)
NEVER: tuple[Code, ...] = (
    "unauthorized", "forbidden", "not-found", "name-unknown", "certificate-expired",
    "certificate-untrusted", "connection-refused", "not-tls", "too-large", "unexpected-shape",
)
PASSING: tuple[Code, ...] = (
    "rate-limited", "connection-reset", "connect-timeout", "read-timeout", "resolver-timeout",
)


def failing(code: Code, times: int) -> Callable[[], object]:
    left = [times]

    async def ask() -> str:
        if left[0]:
            left[0] -= 1
            raise fault("http", code)
        return "answer"

    return ask


@pytest.mark.asyncio
@pytest.mark.parametrize("code", PASSING)
async def test_what_may_pass_is_asked_again(code: Code) -> None:
    attempts = Attempts()
    answer = await retrying(failing(code, 2), attempts=attempts, policy=QUICK)  # type: ignore[arg-type]
    assert (answer, attempts.made) == ("answer", 3)


@pytest.mark.asyncio
@pytest.mark.parametrize("code", NEVER)
async def test_a_refusal_is_asked_once(code: Code) -> None:
    attempts = Attempts()
    with pytest.raises(Exception, match=code):
        await retrying(failing(code, 9), attempts=attempts, policy=QUICK)  # type: ignore[arg-type]
    assert attempts.made == 1


@pytest.mark.asyncio
async def test_asking_ends_and_the_last_answer_counts() -> None:
    attempts = Attempts()

    async def limited() -> int:
        return 429

    answer = await retrying(
        limited, attempts=attempts, policy=QUICK, again=lambda status: status == 429
    )
    assert (answer, attempts.made) == (429, 3)


@pytest.mark.parametrize(
    ("status", "expected"), [(429, True), (503, True), (504, True), (500, False)]
)
def test_a_status_that_may_pass_is_worth_another_try(status: int, expected: bool) -> None:  # noqa: FBT001
    failure = Failure(phase="http", code="unexpected-status", status=status)
    assert worth_another_try(failure) is expected


@given(st.integers(1, 50), st.floats(0, 1))
def test_waits_are_bounded(made: int, chance: float) -> None:
    policy = RetryPolicy(base_s=0.2, longest_s=2.0)
    assert 0.1 <= policy.wait_s(made, chance) <= 2.0


@pytest.mark.asyncio
async def test_the_attempts_are_in_the_observation_even_when_the_deadline_cuts_in() -> None:
    recorder = Recorder(now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for times, deadline_s in ((2, 5.0), (99, 0.05)):
        attempts = Attempts()

        async def look(times: int = times, attempts: Attempts = attempts) -> RoundTrip:
            slow = RetryPolicy(attempts=100, base_s=0.01, longest_s=0.01)
            await retrying(failing("read-timeout", times), attempts=attempts, policy=slow)  # type: ignore[arg-type]
            return RoundTrip(context="c")

        await recorder.look(
            "trip", f"s{times}", look(), deadline_s=deadline_s, attempts=attempts
        )
    first, second = recorder.observations
    assert first.attempts == 3
    assert isinstance(second.result, Failure)
    assert second.result.code == "deadline-exceeded"
    assert second.attempts > 1


@pytest.mark.asyncio
async def test_a_server_that_names_a_time_is_not_asked_sooner() -> None:
    asked: list[float] = []

    async def ask() -> str:
        asked.append(time.monotonic())
        if len(asked) == 1:
            raise WorldFault(Failure(phase="http", code="rate-limited"), retry_after_s=0.2)
        return "answer"

    assert await retrying(ask, policy=QUICK) == "answer"
    assert asked[1] - asked[0] >= 0.2


@pytest.mark.asyncio
async def test_a_server_that_wants_to_be_left_alone_for_long_is_asked_once() -> None:
    attempts = Attempts()

    async def ask() -> str:
        raise WorldFault(Failure(phase="http", code="rate-limited"), retry_after_s=999_999)

    with pytest.raises(WorldFault):
        await retrying(ask, attempts=attempts, policy=QUICK)
    assert attempts.made == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1", 1.0),
        (" 30 ", 30.0),
        ("Tue, 02 Jan 2024 03:04:15 GMT", 10.0),
        ("Tue, 02 Jan 2024 03:04:00 GMT", 0.0),
        ("-1", None),
        ("", None),
        ("\xe9 never", None),
        ("9" * 30, None),
    ],
)
def test_both_forms_of_retry_after_are_read(text: str, seconds: float | None) -> None:
    now = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert retry_after_s(text, now) == seconds
