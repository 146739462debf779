"""Whatever look is missing of a world, a service that is cut off is never called connected."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import msgspec
import pytest

from keptn_doctor.catalogue import load_checks
from keptn_doctor.doctor import examine
from keptn_doctor.judgement.assemble import assemble
from keptn_doctor.lab.scenario import load
from keptn_doctor.lab.start import start
from keptn_doctor.model.evidence import Snapshot

pytestmark = pytest.mark.lab

HERE = Path(__file__).parent
CATALOGUE = load_checks()
CUT_OFF = (
    "egress-firewall-drop",
    "endpoint-reaches-other-keptn@same-token",
    "lie-page-with-status-200",
    "lie-sdk-cut-off-a-minute-ago",
    "lie-token-rotated-seconds-ago",
    "reg-remote-mode-off",
    "tls-split-verify-poll-only@0.9.2",
)
SUBSETS = 15


def _snapshot(name: str) -> Snapshot:
    async def look() -> Snapshot:
        async with start(load(HERE / f"{name}.yaml")) as lab:
            return await examine(lab.targets())

    return asyncio.run(look())


def _connected(snapshot: Snapshot) -> set[str]:
    verdicts = assemble(snapshot, CATALOGUE).verdicts
    return {v.service for v in verdicts if v.connection == "connected"}


@pytest.mark.parametrize("name", CUT_OFF)
def test_no_missing_look_makes_a_service_connected_that_is_not(name: str) -> None:
    whole = _snapshot(name)
    connected = _connected(whole)
    groups: dict[str, list[str]] = {}
    for look in whole.observations:
        groups.setdefault(f"{look.probe} {look.subject}", []).append(look.id)
    chance = random.Random(name)
    left_out = [{group} for group in groups]
    left_out += [set(chance.sample(sorted(groups), len(groups) // 2)) for _ in range(SUBSETS)]
    for missing in left_out:
        gone = {look_id for group in missing for look_id in groups[group]}
        kept = tuple(o for o in whole.observations if o.id not in gone)
        found = _connected(msgspec.structs.replace(whole, observations=kept))
        assert found <= connected, sorted(missing)
