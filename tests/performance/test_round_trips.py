"""How many round trips a run waits for, one after the other: counted, not timed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from ceilings import STEPS
from performance_runs import LARGER, SMALL, run_in

from benchmarks.speed.growth import asked_before_stalled
from benchmarks.speed.lock_step import LockStep, patient, walking
from benchmarks.speed.relayed import relayed
from benchmarks.speed.worlds import scenario
from keptn_doctor.lab.start import start
from keptn_doctor.model.failure import Failure
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.session import Session

pytestmark = pytest.mark.lab

PATHS = tuple(f"/api/v1/namespaces/{name}" for name in ("default", "kube-system", "keptn-000"))


def test_a_run_waits_for_no_more_round_trips_than_before() -> None:
    assert run_in(SMALL).steps <= STEPS


def test_more_planes_are_looked_at_side_by_side() -> None:
    assert run_in(LARGER).steps <= run_in(SMALL).steps + 3


def test_the_runs_that_are_counted_see_everything() -> None:
    assert all(not isinstance(o.result, Failure) for o in run_in(SMALL).snapshot.observations)


async def _steps_of(asking: Callable[[KubeClient], Awaitable[object]]) -> int:
    async with start(scenario(SMALL)) as lab:
        relay = LockStep()
        try:
            targets = patient(await relayed(lab, relay))
            session = Session(targets, Recorder(now=lab.clock), salt=b"salt", now=lab.clock)
            kube = await session.kube("plane-000")
            assert isinstance(kube, KubeClient)
            with walking(relay):
                await asking(kube)
            await session.aclose()
            return relay.steps
        finally:
            await relay.close()


async def _side_by_side(kube: KubeClient) -> None:
    await asyncio.gather(*(kube.get(path, dict) for path in PATHS))


async def _one_after_the_other(kube: KubeClient) -> None:
    for path in PATHS:
        await kube.get(path, dict)


@pytest.mark.asyncio
async def test_the_gauge_tells_side_by_side_from_one_after_the_other() -> None:
    connecting = 2
    assert await _steps_of(_side_by_side) == connecting + 1
    assert await _steps_of(_one_after_the_other) == connecting + len(PATHS)


def test_a_plane_that_does_not_answer_keeps_nobody_waiting() -> None:
    before, total = asked_before_stalled()
    assert before == total > 0


@pytest.mark.asyncio
async def test_waiting_for_the_plane_that_does_not_answer_is_noticed() -> None:
    async with start(scenario(SMALL)) as lab:
        relay = LockStep(stalled="plane-000")
        try:
            targets = patient(await relayed(lab, relay))
            session = Session(targets, Recorder(now=lab.clock), salt=b"salt", now=lab.clock)
            slow, good = await session.kube("plane-000"), await session.kube("plane-001")
            assert isinstance(slow, KubeClient)
            assert isinstance(good, KubeClient)
            with walking(relay):
                await asyncio.gather(slow.get(PATHS[0], dict), good.get(PATHS[0], dict))
                await good.get(PATHS[1], dict)
            await session.aclose()
        finally:
            await relay.close()
        waited = [served.began > relay.released for served in lab.servers["plane-001"].served]
    assert waited == [False, True]
