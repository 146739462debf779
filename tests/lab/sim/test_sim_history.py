"""The derived past of a client: restarts, back-off, and what is skipped to get there at once."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keptn_doctor.lab.clients.calls import Calls, Outcome
from keptn_doctor.lab.clients.history import Phase, derive
from keptn_doctor.lab.clients.rules import rules_of
from keptn_doctor.lab.settings import ClientSettings, SubscriptionSettings

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
BAD = Outcome(ok=False, text="error with status code 502", took_s=0.1, status=502)
GOOD = Outcome(ok=True, status=200)
TOPIC = SubscriptionSettings(event="sh.keptn.event.x.triggered", id="s")


def _rules(version: str = "0.18.0", kind: str = "distributor"):
    return rules_of(ClientSettings(plane="exec-a", version=version, client=kind))


def _calls(register=GOOD, pings=(GOOD,), polls=(GOOD,)) -> Calls:
    return Calls(
        register=register,
        integration_id="a" * 40,
        pings=pings,
        polls={"s": polls},
        subscriptions=(TOPIC,),
    )


def _history(calls: Calls, hours: float = 2, version: str = "0.18.0", kind: str = "distributor"):
    begin = NOW - timedelta(hours=hours)
    phases = (Phase(begin=begin, end=None, calls=calls),)
    return derive(_rules(version, kind), phases, begin=begin, now=NOW)


def test_a_healthy_process_never_restarts():
    history = _history(_calls(), hours=24 * 365)
    assert (history.restarts, len(history.processes)) == (0, 1)
    assert history.processes[0].end is None


@pytest.mark.parametrize("hours", [1, 24, 24 * 30, 24 * 365])
def test_a_long_crash_loop_is_reached_at_once_and_counts_every_restart(hours):
    history = _history(_calls(register=BAD), hours=hours)
    assert len(history.processes) < 20  # worked out one by one; the rounds between were skipped
    cycle = 10 * 5.1 + 0.4 + 300
    assert history.restarts == pytest.approx(hours * 3600 / cycle, abs=8)
    assert all(p.exit_code == 1 for p in history.processes[:-1])


def test_the_pauses_between_restarts_double_up_to_five_minutes():
    history = _history(_calls(register=BAD), hours=1)
    pauses = [
        round((b.begin - a.end).total_seconds())
        for a, b in zip(history.processes, history.processes[1:], strict=False)
    ]
    assert pauses[:7] == [0, 10, 20, 40, 80, 160, 300]


def test_ten_lost_heartbeats_in_a_row_end_a_modern_distributor_with_code_0():
    history = _history(_calls(pings=(BAD,)))
    first = history.processes[0]
    assert (first.exit_code, first.reason, first.gave_up) == (0, "Completed", "heartbeat")
    assert 100 <= (first.end - first.begin).total_seconds() <= 115


def test_lost_heartbeats_with_successes_between_do_not():
    history = _history(_calls(pings=(BAD, BAD, GOOD)))
    assert history.restarts == 0


def test_an_sdk_process_ends_at_the_tenth_failed_poll_of_its_life():
    history = _history(_calls(polls=(GOOD, GOOD, GOOD, GOOD, BAD)), kind="sdk", version="0.20.4")
    first = history.processes[0]
    assert (first.exit_code, first.gave_up) == (1, "poll")
    assert 48 <= (first.end - first.begin).total_seconds() <= 62


def test_a_call_that_never_returns_leaves_silence():
    forever = Outcome(ok=False, took_s=math.inf)
    history = _history(_calls(register=forever), version="0.10.0")
    process = history.processes[0]
    assert (process.end, process.registered_at, process.spans) == (None, None, [])


outcomes = st.sampled_from([GOOD, BAD])


@settings(max_examples=60, deadline=None)
@given(
    register=outcomes,
    pings=st.lists(outcomes, min_size=1, max_size=4).map(tuple),
    polls=st.lists(outcomes, min_size=1, max_size=4).map(tuple),
    hours=st.floats(0.01, 300),
    version=st.sampled_from(["0.8.7", "0.9.2", "0.11.4", "0.13.6", "0.16.2", "1.4.5"]),
    kind=st.sampled_from(["distributor", "sdk"]),
)
def test_whatever_happens_the_past_is_in_order(*, register, pings, polls, hours, version, kind):
    version = "0.20.4" if kind == "sdk" else version
    history = _history(_calls(register, pings, polls), hours, version, kind)
    assert history.restarts >= len(history.processes) - 1
    moments = [m for p in history.processes for m in (p.begin, p.end) if m is not None]
    assert moments == sorted(moments)
    assert all(p.end is not None for p in history.processes[:-1])
    assert moments[-1] <= NOW
    for process in history.processes:
        for span in process.spans:
            assert span.begin >= process.begin
            if process.end is not None:
                assert span.end is not None
                assert span.end <= process.end + timedelta(seconds=1)
