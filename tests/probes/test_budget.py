"""A budget: what decides verdicts first, nothing that was cut short taken for evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime

import pytest

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import KeptnVersion
from keptn_doctor.probes.budget import Budget
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.probes.turns import Turns, ranked

SERVICE, HOME = "exec-a/ns/svc", "control-plane/keptn"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def run_of(total_s: float) -> tuple[Recorder, Budget, Clock]:
    clock = Clock()
    budget = Budget(total_s, clock=clock)
    return Recorder(now=lambda: datetime(2026, 1, 1, tzinfo=UTC), budget=budget), budget, clock


async def fact() -> KeptnVersion:
    return KeptnVersion(version="1", source="swagger")


async def never() -> KeptnVersion:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


@pytest.mark.parametrize(
    ("used", "begun"),
    [
        (0, {"pod-log", "gateway-log", "rights", "round-trip"}),
        (6, {"pod-log", "gateway-log", "round-trip"}),
        (9, {"pod-log", "round-trip"}),
        (10, {"round-trip"}),
    ],
)
def test_what_tells_less_is_no_longer_begun_when_time_runs_short(
    used: float, begun: set[str]
) -> None:
    _, budget, clock = run_of(10)
    clock.now = used
    probes = ("pod-log", "gateway-log", "rights", "round-trip")
    assert {probe for probe in probes if budget.admits(probe, SERVICE)} == begun


def test_the_logs_of_services_go_before_those_of_the_control_plane() -> None:
    _, budget, clock = run_of(10)
    clock.now = 8
    assert budget.admits("pod-log", SERVICE)
    assert not budget.admits("pod-log", HOME)


@pytest.mark.asyncio
async def test_what_is_left_out_is_told_with_what_would_change_it() -> None:
    recorder, _, clock = run_of(10)
    clock.now = 6
    answer = await recorder.look("rights", "exec-a", fact(), deadline_s=5)
    assert isinstance(answer, Failure)
    assert recorder.observations == []
    (note,) = recorder.not_attempted
    assert (note.probe, note.subject, note.kind) == ("rights", "exec-a", "limit")
    assert "--budget 20s" in note.unlock


@pytest.mark.asyncio
async def test_a_look_that_was_cut_short_is_no_evidence() -> None:
    recorder, _, clock = run_of(10)
    clock.now = 9.9  # so this look may take 0.2 s at most
    await recorder.look("tcp", "endpoint:http://k/api", never(), deadline_s=5)
    assert recorder.observations == []
    assert [note.kind for note in recorder.not_attempted] == ["limit"]


@pytest.mark.asyncio
async def test_a_look_that_came_to_its_own_deadline_is_evidence_all_the_same() -> None:
    recorder, _, _ = run_of(1000)
    await recorder.look("tcp", "endpoint:http://k/api", never(), deadline_s=0.01)
    assert [type(o.result).__name__ for o in recorder.observations] == ["Failure"]
    assert recorder.not_attempted == []


def test_no_single_look_may_use_up_what_the_others_need() -> None:
    _, budget, clock = run_of(10)
    assert budget.deadline_s("tcp", 40) == 5
    clock.now = 8
    assert budget.deadline_s("tcp", 40) == 1
    assert budget.deadline_s("tcp", 0.5) == 0.5
    assert budget.deadline_s("round-trip", 40) == 40, "it would leave things behind"


@pytest.mark.asyncio
async def test_those_who_wait_come_by_rank_and_then_in_order() -> None:
    turns, came = Turns(1), list[str]()
    await turns.acquire()

    async def ask(name: str, rank: int) -> None:
        with ranked(rank):
            await turns.acquire()
        came.append(name)
        turns.release()

    asking = [("late", 2), ("first", 0), ("middle", 1), ("second", 0)]
    tasks = [asyncio.ensure_future(ask(*one)) for one in asking]
    await asyncio.sleep(0)
    turns.release()
    await asyncio.gather(*tasks)
    assert came == ["first", "second", "middle", "late"]


@pytest.mark.asyncio
async def test_a_place_that_nobody_wants_any_more_goes_to_the_next() -> None:
    turns = Turns(1)
    await turns.acquire()
    waiting: list[asyncio.Future[None]] = [asyncio.ensure_future(turns.acquire()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    turns.release()
    waiting[1].cancel()  # at the very moment at which it has the place
    await asyncio.wait(waiting, timeout=1)
    assert [task.cancelled() for task in waiting] == [True, True, False]
    turns.release()
    await asyncio.wait_for(turns.acquire(), 1)


@pytest.mark.asyncio
async def test_a_look_that_is_left_out_is_never_begun() -> None:
    recorder, _, clock = run_of(10)
    clock.now = 10
    begun = []

    async def asking() -> KeptnVersion:
        begun.append(1)
        return await fact()

    looking: Awaitable[KeptnVersion] = asking()
    await recorder.look("http", "endpoint:http://k/api", looking, deadline_s=5)
    assert begun == []
