"""What a run asks of the API servers: counted by the lab, which sees every request."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from keptn_doctor.catalogue import load_checks
from keptn_doctor.doctor import examine, report_on
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.session import Session

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]
WORLD = """
title: A full plane
execution-planes:
  exec-a: {cluster: {fillers: 30}}
  exec-b: null
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run() -> AsyncIterator[tuple[Lab, Snapshot]]:
    async with start(loads(WORLD)) as lab:
        yield lab, await examine(lab.targets())


async def test_no_list_is_read_twice(run: tuple[Lab, Snapshot]) -> None:
    for server in run[0].servers.values():
        lists = Counter((r.path, r.query) for r in server.served if r.verb == "list")
        assert [path for path, times in lists.items() if times > 1] == []


async def test_a_forwarded_port_serves_all_requests_to_a_pod(run: tuple[Lab, Snapshot]) -> None:
    served = run[0].servers["exec-a"].served
    forwards = Counter(r.path for r in served if r.path.endswith("/portforward"))
    assert len(forwards) == 2  # helm-service and jmeter-service
    assert set(forwards.values()) == {1}


async def test_pods_of_others_are_no_evidence(run: tuple[Lab, Snapshot]) -> None:
    assert not any("shop-part" in str(look.result) for look in run[1].observations)
    report = report_on(run[1], load_checks())
    assert {verdict.connection for verdict in report.verdicts} == {"connected"}


async def test_the_control_plane_is_looked_at_before_the_planes(run: tuple[Lab, Snapshot]) -> None:
    looks = Recorder(now=lambda: datetime.now(UTC))
    async with Session(run[0].targets(), looks, salt=b"") as session:
        for plane in session.targets.execution_planes:
            await session.kube(plane.name)
        clients = [await session.kube(c.name) for c in session.targets.clusters()]
    assert [client.number for client in clients if isinstance(client, KubeClient)] == [0, 1]
