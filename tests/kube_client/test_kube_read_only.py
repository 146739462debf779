"""A run that was not started as active cannot write, whatever its code tries."""

from __future__ import annotations

import pytest
from kube_worlds import World, kube_api, pod

from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.kube_rules import Rule
from keptn_doctor.probes.kube_wire import ReadOnlyViolation, allowed
from keptn_doctor.probes.probe_pod_manifest import RUN_LABEL

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "keptn-exec"}}
PODS = "/api/v1/namespaces/keptn-exec/pods"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
PROBE = pod("probe") | {
    "metadata": {"name": "probe", "namespace": "keptn-exec", "labels": {RUN_LABEL: "r1"}}
}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", PODS),
        ("DELETE", f"{PODS}/a"),
        ("DELETE", PODS),
        ("PUT", f"{PODS}/a"),
        ("PATCH", f"{PODS}/a"),
        ("POST", "/apis/apps/v1/namespaces/keptn-exec/deployments"),
        ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
        ("GET", f"{PODS}/a/exec"),
        ("GET", f"{PODS}/a/attach"),
        ("POST", f"{PODS}/a/portforward"),
    ],
)
def test_a_passive_run_refuses_what_writes_or_runs_commands(method: str, path: str) -> None:
    assert not allowed(method, path, active=False)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", PODS),
        ("PATCH", f"{PODS}/a"),
        ("POST", "/api/v1/namespaces"),
        ("POST", "/api/v1/namespaces/keptn-exec/secrets"),
        ("DELETE", "/api/v1/namespaces/keptn-exec"),
        ("POST", f"{PODS}/a/eviction"),
        ("GET", f"{PODS}/a/exec"),
    ],
)
def test_even_an_active_run_writes_pods_only(method: str, path: str) -> None:
    assert not allowed(method, path, active=True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PODS),
        ("GET", f"{PODS}/a/log"),
        ("GET", f"{PODS}/a/portforward"),
        ("GET", f"{PODS}/a:8080/proxy/health"),
        ("POST", REVIEW),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"),
    ],
)
def test_a_passive_run_may_look_and_ask(method: str, path: str) -> None:
    assert allowed(method, path, active=False)


@pytest.mark.asyncio
async def test_nothing_that_writes_reaches_the_server_in_a_passive_run(world: World) -> None:
    async with kube_api(world.tls(), objects=(NAMESPACE, PROBE)) as server:
        async with KubeClient(world.access(server.url)) as kube:
            with pytest.raises(ReadOnlyViolation):
                await kube.create_pod("keptn-exec", PROBE)
            with pytest.raises(ReadOnlyViolation):
                await kube.delete_pod("keptn-exec", "probe")
            with pytest.raises(ReadOnlyViolation):
                await kube.send("PATCH", f"{PODS}/probe", body={})
        assert {request.method for request in server.served} == {"GET"}


@pytest.mark.asyncio
async def test_an_active_run_creates_and_removes_its_own_pods(world: World) -> None:
    async with (
        kube_api(world.tls(), objects=(NAMESPACE,)) as server,
        KubeClient(world.access(server.url), active=True) as kube,
    ):
        created = await kube.create_pod("keptn-exec", PROBE)
        assert created["metadata"]["name"] == "probe"
        await kube.delete_pod("keptn-exec", "probe")
        with pytest.raises(WorldFault) as caught:
            await kube.get(f"{PODS}/probe", dict)
    assert caught.value.failure.code == "not-found"


@pytest.mark.asyncio
async def test_pods_of_others_are_not_touched_by_an_active_run(world: World) -> None:
    async with (
        kube_api(world.tls(), objects=(NAMESPACE, pod("theirs"))) as server,
        KubeClient(world.access(server.url), active=True) as kube,
    ):
        with pytest.raises(ValueError, match="not made by keptn-doctor"):
            await kube.delete_pod("keptn-exec", "theirs")
        with pytest.raises(ValueError, match="must carry the label"):
            await kube.create_pod("keptn-exec", pod("unlabelled"))
        assert await kube.get(f"{PODS}/theirs", dict)


@pytest.mark.asyncio
async def test_asking_for_a_right_is_not_writing(world: World) -> None:
    list_pods = Rule(verb="list", resource="pods", namespace="keptn-exec")
    read_log = Rule(verb="get", resource="pods/log", namespace="keptn-exec")
    list_secrets = Rule(verb="list", resource="secrets", namespace="keptn-exec")
    async with (
        kube_api(world.tls(), objects=(NAMESPACE,)) as server,
        KubeClient(world.access(server.url, "reader-lab-token")) as kube,
    ):
        answers = [await kube.allowed(r) for r in (list_pods, read_log, list_secrets)]
    assert answers == [True, True, False]
