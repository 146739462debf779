"""API servers that hang, drip, lie or flood: the fault is told and costs nothing but its own."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from clusters import Fleet, control_plane, crashes, failures, fleet, helm_service, obj, session_on

from keptn_doctor.discover import discover
from keptn_doctor.lab.kube.misbehaviour import Misbehaviour
from keptn_doctor.model.kube_facts import Workload
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.targets import Targets

pytestmark = pytest.mark.asyncio
EXEC = obj("Namespace", "keptn-exec")
LISTS = ("/apis/apps/v1", "/api/v1/pods", "/api/v1/nodes", "/api/v1/namespaces")


async def two_planes(clusters: Fleet, *faults: Misbehaviour, where: str = "exec-b") -> Targets:
    await clusters.add("cp", control_plane())
    await clusters.add("exec-a", [EXEC, *helm_service()])
    await clusters.add("exec-b", [EXEC, *helm_service()])
    clusters.servers[where].misbehave(*faults)
    deadlines = Deadlines(connect_s=2, request_s=2, kube_s=1.5, run_s=120)
    return msgspec.structs.replace(
        clusters.targets(planes=("exec-a", "exec-b")), deadlines=deadlines
    )


@pytest.mark.parametrize(
    "fault",
    [
        Misbehaviour(kind="hang"),
        Misbehaviour(kind="drip", seconds=0.05),
        Misbehaviour(kind="reset"),
        Misbehaviour(kind="html"),
        Misbehaviour(kind="redirect-loop"),
        Misbehaviour(kind="unavailable"),
        Misbehaviour(kind="truncate"),
    ],
    ids=lambda fault: fault.kind,
)
async def test_a_cluster_that_does_not_answer_costs_the_other_nothing(
    tmp_path: Path, fault: Misbehaviour
) -> None:
    async with fleet(tmp_path) as clusters:
        targets = await two_planes(clusters, fault)
        async with session_on(targets) as session:
            topology = await discover(session)
            assert crashes(session) == []
            assert failures(session, "cluster")
            assert [s.plane for s in topology.services] == ["exec-a"]
            assert [p.name for p in topology.execution_planes] == ["exec-a", "exec-b"]


@pytest.mark.parametrize("kind", ["hang", "html", "truncate", "unavailable"])
async def test_a_cluster_that_only_tells_its_version(tmp_path: Path, kind: str) -> None:
    faults = [Misbehaviour(kind=kind, path_prefix=path) for path in LISTS]  # type: ignore[arg-type]
    async with fleet(tmp_path) as clusters:
        targets = await two_planes(clusters, *faults)
        async with session_on(targets) as session:
            topology = await discover(session)
            assert crashes(session) == []
            assert [s.plane for s in topology.services] == ["exec-a"]
            told = failures(session, "namespace")
            assert told


async def test_a_control_plane_cluster_that_hangs_leaves_the_planes(tmp_path: Path) -> None:
    async with fleet(tmp_path) as clusters:
        targets = await two_planes(clusters, Misbehaviour(kind="hang"), where="cp")
        async with session_on(targets) as session:
            topology = await discover(session)
            assert crashes(session) == []
            assert {s.plane for s in topology.services} == {"exec-a", "exec-b"}
            assert topology.control_plane.namespace == ""
            assert len(session.recorder.facts(Workload)) == 2


async def test_a_list_without_end_is_given_up(tmp_path: Path) -> None:
    async with fleet(tmp_path) as clusters:
        flood = Misbehaviour(kind="flood", path_prefix="/api/v1/pods", size=200_000_000)
        targets = await two_planes(clusters, flood)
        async with session_on(targets) as session:
            topology = await discover(session)
            assert crashes(session) == []
            assert len(topology.services) == 2
            assert failures(session, "cluster") == []
