"""The healthy world of every Keptn generation: what is there and what answers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from world_lab import ask, listed, pods

from keptn_doctor.lab.charts import chart
from keptn_doctor.lab.scenario import loads, packaged
from keptn_doctor.lab.start import start

VERSIONS = ("0.8.7", "0.13.6", "0.16.2", "0.19.3", "1.4.5")
pytestmark = [pytest.mark.lab, pytest.mark.asyncio]


@pytest.mark.parametrize("version", VERSIONS)
async def test_pods_and_services_are_those_that_the_chart_installs(version: str) -> None:
    async with start(loads(f"title: healthy\nkeptn: {version}")) as lab:
        found = await pods(lab, "keptn-cp", "keptn")
        services = await listed(lab, "keptn-cp", "/api/v1/namespaces/keptn/services")
    components = chart(version).components
    assert set(found) == {c.name for c in components}
    for component in components:
        containers = found[component.name]["status"]["containerStatuses"]
        assert [c["name"] for c in containers] == [c.name for c in component.containers]
        assert all(c["ready"] and "running" in c["state"] for c in containers)
    assert {s["metadata"]["name"] for s in services} == {
        s.name for c in components for s in c.services
    }


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_gateway_answers_with_the_token_and_refuses_without(version: str) -> None:
    async with start(loads(f"title: healthy\nkeptn: {version}")) as lab:
        url = f"{lab.endpoint}/controlPlane/v1/uniform/registration"
        good = await ask(lab, url, token=lab.api_token)
        bad = await ask(lab, url)
        metadata = await ask(lab, f"{lab.endpoint}/v1/metadata", token=lab.api_token)
    assert good.status_code == 200
    assert bad.status_code == 401
    assert metadata.json()["keptnversion"] == version


async def test_images_of_keptn_carry_its_version() -> None:
    async with start(loads("title: healthy\nkeptn: 1.4.5")) as lab:
        found = await pods(lab, "keptn-cp", "keptn")
    image = found["shipyard-controller"]["spec"]["containers"][0]["image"]
    assert image == "ghcr.io/keptn/shipyard-controller:1.4.5"


async def test_every_cluster_is_a_cluster_of_its_own() -> None:
    async with start(packaged("healthy")) as lab:
        uids = set()
        for context in ("keptn-cp", "exec-a", "exec-b"):
            spaces = await listed(lab, context, "/api/v1/namespaces")
            uids |= {s["metadata"]["uid"] for s in spaces if s["metadata"]["name"] == "kube-system"}
    assert len(uids) == 3


async def test_the_targets_name_the_three_clusters_and_hide_the_token() -> None:
    async with start(loads("title: t\noperator: {token: current}")) as lab:
        targets = lab.targets()
        assert [c.context for c in targets.clusters()] == ["keptn-cp", "exec-a", "exec-b"]
        assert targets.api is not None
        assert targets.api.token is not None
        assert targets.api.token.reveal() == lab.api_token
        assert lab.api_token not in repr(targets)


async def test_nothing_is_left_behind() -> None:
    async with start(packaged("healthy")) as lab:
        folder, port = lab.folder, lab.servers["keptn-cp"].port
        assert lab.kubeconfig.exists()
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        await _connect(port)


async def _connect(port: int) -> None:
    import asyncio

    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def test_nothing_is_left_behind_after_an_error() -> None:
    class StopError(Exception):
        pass

    async def failing() -> None:
        async with start(packaged("healthy")) as lab:
            folders.append(lab.folder)
            raise StopError

    folders: list[Path] = []
    with pytest.raises(StopError):
        await failing()
    assert not folders[0].exists()


async def test_tokens_differ_from_world_to_world() -> None:
    found = set()
    for _ in range(2):
        async with start(packaged("healthy")) as lab:
            found.add(lab.api_token)
    assert len(found) == 2


async def test_a_world_starts_in_less_than_a_second_and_a_half() -> None:
    async with start(packaged("healthy")):
        pass
    began = time.perf_counter()
    async with start(packaged("healthy")):
        took = time.perf_counter() - began
    assert took < 1.5
