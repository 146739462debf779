"""The one event that the doctor can send is sent when it was asked for, and never otherwise."""

from __future__ import annotations

import msgspec
import pytest

from keptn_doctor.catalogue import load_checks
from keptn_doctor.doctor import examine, report_on
from keptn_doctor.lab.scenario import loads, packaged
from keptn_doctor.lab.start import start
from keptn_doctor.model.keptn_facts import RoundTrip
from keptn_doctor.model.report import Report

pytestmark = pytest.mark.lab

NATS_DOWN = """
title: NATS is not running
control-plane:
  cluster:
    workloads:
      keptn-nats: {replicas: 0}
"""


def _trips(snapshot) -> list[RoundTrip]:
    return [o.result for o in snapshot.observations if isinstance(o.result, RoundTrip)]


def _finding(report: Report):
    return next(f for f in report.findings if f.check == "event-lost-on-the-way")


@pytest.mark.asyncio
async def test_the_event_comes_back_in_a_healthy_world() -> None:
    async with start(packaged("healthy")) as lab:
        targets = msgspec.structs.replace(lab.targets(), round_trip=True)
        snapshot = await examine(targets)
    assert [trip.came_back for trip in _trips(snapshot)] == [True]
    assert _finding(report_on(snapshot, load_checks())).status == "pass"


@pytest.mark.asyncio
@pytest.mark.parametrize("probe_pod", [False, True])
async def test_no_event_is_sent_unasked(*, probe_pod: bool) -> None:
    async with start(packaged("healthy")) as lab:
        targets = lab.targets()
        active = msgspec.structs.replace(targets, probe_pod=probe_pod, active=probe_pod)
        snapshot = await examine(active)
    assert _trips(snapshot) == []
    assert _finding(report_on(snapshot, load_checks())).status == "skip"


@pytest.mark.asyncio
async def test_an_event_that_cannot_be_published_is_no_round_trip() -> None:
    async with start(loads(NATS_DOWN)) as lab:
        targets = msgspec.structs.replace(lab.targets(), round_trip=True)
        snapshot = await examine(targets)
    assert not any(trip.came_back for trip in _trips(snapshot))
    assert _finding(report_on(snapshot, load_checks())).status != "pass"
