"""Whether MetalLB tells anybody of the address that it gave, as its objects and pods show it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from keptn_doctor.discover import discover
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.model.kube_facts import LoadBalancerProvider
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.session import Session

pytestmark = [pytest.mark.asyncio, pytest.mark.lab]

WORLD = """
title: t
control-plane:
  cluster:
    load-balancer: metallb
    objects: [{changes}]
    workloads: {workloads}
"""
OTHER_POOL = (
    "{patch: L2Advertisement metallb-system/default, merge: {spec: {ipAddressPools: [office]}}}"
)
NO_POOLS_NAMED = (
    "{patch: L2Advertisement metallb-system/default, merge: {spec: {ipAddressPools: null}}}"
)
RANGE = (
    "{patch: IPAddressPool metallb-system/default, "
    'merge: {spec: {addresses: ["203.0.113.10-203.0.113.30"]}}}'
)
ELSEWHERE = (
    '{patch: IPAddressPool metallb-system/default, merge: {spec: {addresses: ["10.9.0.0/24"]}}}'
)
CRASHING = "{speaker: {containers: {speaker: {fault: crash}}}}"


async def defects(changes: str, workloads: str = "{}") -> tuple[str, ...]:
    text = WORLD.replace("{changes}", changes).replace("{workloads}", workloads)
    async with start(loads(text)) as lab:
        recorder = Recorder(now=lambda: datetime.now(UTC))
        session = Session(lab.targets(), recorder, salt=b"s", now=lambda: datetime.now(UTC))
        try:
            await discover(session)
        finally:
            await session.aclose()
    ((_, fact),) = recorder.facts(LoadBalancerProvider)
    assert "metallb" in fact.providers
    return fact.defects


@pytest.mark.parametrize("changes", ["", NO_POOLS_NAMED, RANGE, f"{ELSEWHERE}, {OTHER_POOL}"])
async def test_an_announced_pool_has_no_defect(changes: str) -> None:
    assert await defects(changes) == ()


@pytest.mark.parametrize(
    ("changes", "workloads", "told"),
    [
        ("{remove: L2Advertisement metallb-system/default}", "{}", "no L2Advertisement"),
        (OTHER_POOL, "{}", "the addresses of its pool default"),
        (f"{RANGE}, {OTHER_POOL}", "{}", "the addresses of its pool default"),
        ("{remove: IPAddressPool metallb-system/default}", "{}", "no IPAddressPool"),
        ("", CRASHING, "no speaker pod is ready"),
    ],
)
async def test_each_way_to_stay_silent_is_told(changes: str, workloads: str, told: str) -> None:
    (defect,) = await defects(changes, workloads)
    assert told in defect
