"""An event's way through a simulated Keptn: project, sequence, task, answer, and what is left."""

from __future__ import annotations

import pytest
from delivery_worlds import (
    CONTROL,
    PROJECT,
    QUICK,
    finished,
    make,
    opened,
    sequence,
    service,
    told,
    trigger,
)  # fmt: skip
from sim_worlds import ask, world

from keptn_doctor.lab.simulation import Simulation

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]
VERSIONS = ("0.8.7", "0.9.0", "0.13.6", "0.16.2", "0.19.3", "1.4.5")


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_task_is_answered_and_its_project_leaves_nothing_behind(version):
    settings = world(version, service(version), keptn={"delivery": QUICK})
    async with Simulation(settings) as lab:
        assert (await make(lab, version)).status_code == 201
        context = await trigger(lab)
        assert told(await finished(lab, context)) == [
            ("dev.try.triggered", "test"),
            ("test.triggered", "shipyard-controller"),
            ("test.started", "my-service"),
            ("test.finished", "my-service"),
            ("dev.try.finished", "shipyard-controller"),
        ]
        assert await opened(lab) == []
        assert (await sequence(lab, context))["state"] == "finished"
        deleted = await ask(lab, f"{CONTROL}/project/{PROJECT}", method="DELETE")
        assert deleted.status_code == 200
        assert lab.keptn.left_of(PROJECT) == {}
