"""The healthy world of every Keptn generation: what is there and what answers."""

from __future__ import annotations

import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from world_lab import ask, forwarded, kube, kubectl, listed, log_of, pods

from keptn_doctor.lab.objects.charts import chart
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


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_three_services_are_registered_and_fresh(version: str) -> None:
    async with start(loads(f"title: healthy\nkeptn: {version}")) as lab:
        url = f"{lab.endpoint}/controlPlane/v1/uniform/registration"
        answer = await ask(lab, url, token=lab.api_token)
    found = {
        record["name"]: record
        for record in answer.json()
        if record["metadata"]["kubernetesmetadata"]["namespace"] != "keptn"
    }
    assert set(found) == {"helm-service", "jmeter-service", "job-executor-service"}
    now = parsedate_to_datetime(answer.headers["date"])
    for record in found.values():
        seen = datetime.fromisoformat(record["metadata"]["lastseen"])
        assert (now - seen).total_seconds() < 30


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_logs_of_the_clients_tell_of_their_registration(version: str) -> None:
    async with start(loads(f"title: healthy\nkeptn: {version}")) as lab:
        pod = (await pods(lab, "exec-a", "keptn-exec"))["helm-service"]["metadata"]["name"]
        text = await log_of(lab, "exec-a", "keptn-exec", pod, container="distributor")
    assert "Registered Keptn Integration with id" in text


@pytest.mark.parametrize("version", VERSIONS)
async def test_kubectl_forwards_the_api_proxy_of_a_distributor(version: str) -> None:
    async with start(loads(f"title: healthy\nkeptn: {version}")) as lab:
        pod = (await pods(lab, "exec-a", "keptn-exec"))["helm-service"]["metadata"]["name"]
        answer = await forwarded(
            lab, "exec-a", "keptn-exec", pod, 8081, "/controlPlane/v1/uniform/registration"
        )
    assert answer.status_code == 200
    assert any(record["name"] == "helm-service" for record in answer.json())


async def test_an_sdk_service_is_ready_once_it_is_registered() -> None:
    async with start(packaged("healthy")) as lab:
        pod = (await pods(lab, "exec-b", "keptn-jes"))["job-executor-service"]
        answer = await forwarded(
            lab, "exec-b", "keptn-jes", pod["metadata"]["name"], 8080, "/health"
        )
    assert answer.status_code == 200
    assert pod["status"]["containerStatuses"][0]["ready"] is True


async def test_the_gateway_logs_the_heartbeats_of_the_clients() -> None:
    async with start(packaged("healthy")) as lab:
        pod = (await pods(lab, "keptn-cp", "keptn"))["api-gateway-nginx"]["metadata"]["name"]
        text = await log_of(lab, "keptn-cp", "keptn", pod, sinceSeconds="60")
    assert "PUT /api/controlPlane/v1/uniform/registration/" in text


async def test_kubectl_gets_describes_and_reads_logs() -> None:
    async with start(packaged("healthy")) as lab:
        listing = await kubectl(lab, "--context", "exec-a", "-n", "keptn-exec", "get", "pods")
        described = await kubectl(
            lab, "--context", "keptn-cp", "-n", "keptn", "describe", "svc", "api-gateway-nginx"
        )
        logs = await kubectl(
            lab, "--context", "exec-b", "-n", "keptn-jes", "logs", "deploy/job-executor-service"
        )
        may = await kubectl(
            lab, "--context", "exec-a", "auth", "can-i", "get", "pods", "--subresource=log"
        )
    assert "2/2" in listing.stdout
    assert "203.0.113.20" in described.stdout
    assert "job-executor-service" in logs.stdout
    assert may.stdout.strip() == "yes"


async def test_the_demo_has_one_healthy_and_one_broken_plane() -> None:
    async with start(packaged("demo")) as lab:
        pod = (await pods(lab, "exec-b", "keptn-jes"))["job-executor-service"]
        answer = await ask(
            lab,
            f"{lab.endpoint}/controlPlane/v1/uniform/registration?name=job-executor-service",
            token=lab.api_token,
        )
    status = pod["status"]["containerStatuses"][0]
    assert status["ready"] is False
    assert status["restartCount"] > 0
    now = parsedate_to_datetime(answer.headers["date"])
    seen = datetime.fromisoformat(answer.json()[0]["metadata"]["lastseen"])
    assert 39 * 60 < (now - seen).total_seconds() < 41 * 60


@pytest.mark.parametrize("exposure", ["load-balancer", "cluster-ip"])
async def test_kubectl_forwards_the_gateway_however_it_is_exposed(exposure: str) -> None:
    text = f"title: t\ncontrol-plane: {{exposure: {{by: {exposure}}}}}"
    async with start(loads(text)) as lab:
        pod = (await pods(lab, "keptn-cp", "keptn"))["api-gateway-nginx"]["metadata"]["name"]
        health = await forwarded(lab, "keptn-cp", "keptn", pod, 8080, "/nginx-health")
    assert (health.status_code, health.text) == (200, "OK")


async def test_a_component_is_reached_through_the_api_servers_proxy() -> None:
    async with start(packaged("healthy")) as lab, kube(lab, "keptn-cp") as client:
        path = "/api/v1/namespaces/keptn/services/shipyard-controller:8080/proxy/health"
        answer = await client.get(path)
    assert answer.status_code == 200
