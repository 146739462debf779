"""What a run asks of each API server: counted where it arrives."""

from __future__ import annotations

import asyncio

import pytest
from ceilings import (
    AT_ONCE,
    CONTROL_PLANE_REQUESTS,
    KEPTN_REQUESTS,
    PLANE_REQUESTS,
    PLANE_TUNNELS,
)
from performance_runs import LARGER, SMALL, run_in

from benchmarks.speed.lock_step import LockStep, patient, walking
from benchmarks.speed.relayed import relayed, seen
from benchmarks.speed.server_load import Load, at_once, load_of
from benchmarks.speed.worlds import Size, scenario
from keptn_doctor.lab.start import start
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.kube_objects import Pod
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.session import Session

pytestmark = pytest.mark.lab

HOME, PLANE = "keptn-cp", "plane-000"


def _load(size: Size, context: str) -> Load:
    return load_of(run_in(size).report["served"][context], distance_ms=0)


def test_a_run_asks_no_more_than_before() -> None:
    home, plane = _load(SMALL, HOME), _load(SMALL, PLANE)
    assert home.requests <= CONTROL_PLANE_REQUESTS
    assert plane.requests <= PLANE_REQUESTS
    assert plane.tunnels <= PLANE_TUNNELS
    assert len(run_in(SMALL).report["keptn"]) <= KEPTN_REQUESTS


def test_other_pods_and_other_planes_cost_no_request() -> None:
    """As long as a list fits on a page."""
    assert _load(LARGER, PLANE).requests <= _load(SMALL, PLANE).requests
    assert _load(LARGER, HOME).requests <= _load(SMALL, HOME).requests


@pytest.mark.parametrize("size", [SMALL, LARGER], ids=["small", "larger"])
def test_no_list_is_made_twice_and_every_one_is_paged(size: Size) -> None:
    for context in run_in(size).report["served"]:
        load = _load(size, context)
        assert load.repeated == 0, context
        assert load.paged == load.lists, context
        assert load.bounded == load.logs, context


def test_an_api_server_has_few_requests_in_flight() -> None:
    """Where there are port-forwards, these come on top; the control plane has none."""
    run = run_in(SMALL)
    assert _load(SMALL, HOME).tunnels == 0
    assert run.at_once[HOME] <= AT_ONCE
    assert run.at_once[PLANE] <= AT_ONCE + _load(SMALL, PLANE).tunnels


# The guards above can fail: what follows does what must not be done.


async def _twice_and_by_two_clients(relay: LockStep) -> Load:
    async with start(scenario(SMALL)) as lab:
        targets = patient(await relayed(lab, relay))
        since, sessions = lab.clock(), []
        with walking(relay):
            for _ in range(2):
                session = Session(targets, Recorder(now=lab.clock), salt=b"salt", now=lab.clock)
                sessions.append(session)
            clients = [await session.kube(PLANE) for session in sessions]
            await asyncio.gather(*(_many(kube) for kube in clients if isinstance(kube, KubeClient)))
        for session in sessions:
            await session.aclose()
        return load_of(seen(lab, relay, since)["served"][PLANE], distance_ms=0)


async def _many(kube: KubeClient) -> None:
    await kube.list("/api/v1/namespaces/keptn-000/pods", Pod)
    paths = [f"/api/v1/namespaces/{name}" for name in ("default", "kube-system", "keptn-000")]
    await asyncio.gather(*(kube.get(path, dict) for path in paths * 2))


@pytest.mark.asyncio
async def test_a_list_made_twice_and_a_second_client_are_noticed() -> None:
    relay = LockStep()
    try:
        load = await _twice_and_by_two_clients(relay)
    finally:
        await relay.close()
    assert load.repeated == 1
    assert relay.at_once[PLANE] > AT_ONCE


def test_requests_that_overlap_are_counted_together() -> None:
    served = [{"began": n, "ended": n + 1.5} for n in range(4)]
    assert at_once(served, distance_ms=0) == 2
    assert at_once(served, distance_ms=2000) == 4
