"""create, update, patch, delete and watch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from kube_lab import NOW, PODS, ClientFor, StartServer, running_pod, users

from keptn_doctor.lab.kube import Cluster

MERGE = {"Content-Type": "application/merge-patch+json"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
ONE = f"{PODS}/helm-service-0"


def config(name: str = "settings", **data: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": "keptn-exec"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


@pytest.mark.asyncio
async def test_a_pod_made_through_the_api_is_run_by_the_hook(
    start: StartServer, client_for: ClientFor
) -> None:
    def run(cluster: Cluster, pod: dict[str, Any]) -> None:
        meta = pod["metadata"]
        ended = {"terminated": {"exitCode": 0, "message": "resolved: 10.0.0.1"}}
        status = {"phase": "Succeeded", "containerStatuses": [{"name": "probe", "state": ended}]}
        cluster.patch("pods", meta["name"], {"status": status}, meta["namespace"])

    server = await start(Cluster("1.24", [running_pod()], users(), on_pod_created=run))
    spec = {"containers": [{"name": "probe", "image": "busybox:1"}]}
    pod = {"metadata": {"generateName": "probe-"}, "spec": spec, "status": {"phase": "Failed"}}
    async with client_for(server) as client:
        made = (await client.post(PODS, json=pod)).json()
        assert made["status"]["phase"] == "Pending"  # a client cannot set the status
        assert made["metadata"]["name"].startswith("probe-")
        seen = (await client.get(f"{PODS}/{made['metadata']['name']}")).json()
    assert seen["status"]["phase"] == "Succeeded"


@pytest.mark.asyncio
async def test_a_dry_run_leaves_no_trace(start: StartServer, client_for: ClientFor) -> None:
    server = await start(Cluster("1.24", [running_pod()], users()))
    before = server.cluster.revision
    async with client_for(server) as client:
        path = "/api/v1/namespaces/keptn-exec/configmaps?dryRun=All"
        assert (await client.post(path, json=config())).status_code == 201
        assert (await client.delete(f"{ONE}?dryRun=All")).status_code == 200
        patched = await client.patch(f"{ONE}?dryRun=All", json={"a": 1}, headers=MERGE)
        assert patched.json()["a"] == 1
        assert (await client.delete(f"{ONE}?dryRun=Some")).status_code == 400
    assert server.cluster.revision == before


@pytest.mark.asyncio
async def test_an_update_of_an_old_version_conflicts(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [config(a="1")], users()))
    path = "/api/v1/namespaces/keptn-exec/configmaps/settings"
    async with client_for(server) as client:
        mine = (await client.get(path)).json()
        server.cluster.patch("configmaps", "settings", {"data": {"a": "2"}}, "keptn-exec")
        mine["data"] = {"a": "3"}
        late = await client.put(path, json=mine)
        mine["metadata"].pop("resourceVersion")
        forced = await client.put(path, json=mine)
        wrong = await client.put(path, json=config("other"))
    assert late.status_code == 409
    assert late.json()["reason"] == "Conflict"
    assert "the object has been modified" in late.json()["message"]
    assert forced.json()["data"] == {"a": "3"}
    assert wrong.status_code == 400


@pytest.mark.asyncio
async def test_each_kind_of_patch_changes_what_it_says(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [running_pod()], users()))
    env = {"name": "distributor", "env": [{"name": "A", "value": "1"}]}
    async with client_for(server) as client:
        merged = await client.patch(ONE, json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE)
        assert merged.json()["metadata"]["labels"] == {"app": "helm-service", "a": "b"}
        strategic = {"spec": {"containers": [env]}}
        changed = (await client.patch(ONE, json=strategic, headers=STRATEGIC)).json()
        assert changed["spec"]["containers"][0]["image"] == "keptn/distributor:0.18.0"
        assert changed["spec"]["containers"][0]["env"] == env["env"]
        operations = [{"op": "remove", "path": "/metadata/labels/a"}]
        removed = (await client.patch(ONE, json=operations, headers=JSON_PATCH)).json()
        assert removed["metadata"]["labels"] == {"app": "helm-service"}
        missing = await client.patch(ONE, json=operations, headers=JSON_PATCH)
        assert missing.status_code == 422
        unknown = await client.patch(ONE, json={}, headers={"Content-Type": "text/plain"})
        assert unknown.status_code == 415


@pytest.mark.asyncio
async def test_status_and_spec_have_two_doors(start: StartServer, client_for: ClientFor) -> None:
    server = await start(Cluster("1.24", [running_pod()], users()))
    both = {"status": {"phase": "Failed"}, "spec": {"nodeName": "node-9"}}
    async with client_for(server) as client:
        first = (await client.patch(ONE, json=both, headers=MERGE)).json()
        assert (first["status"]["phase"], first["spec"]["nodeName"]) == ("Running", "node-9")
        both["spec"]["nodeName"] = "node-1"
        second = (await client.patch(f"{ONE}/status", json=both, headers=MERGE)).json()
        assert (second["status"]["phase"], second["spec"]["nodeName"]) == ("Failed", "node-9")


@pytest.mark.asyncio
async def test_what_an_object_owns_goes_with_it(start: StartServer, client_for: ClientFor) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "x"}}
    cluster = Cluster("1.24", [job], users())
    owner = cluster.get("jobs", "j", "x")
    assert owner is not None
    pod = running_pod("j-abc")
    pod["metadata"] |= {"namespace": "x", "ownerReferences": [{"uid": owner["metadata"]["uid"]}]}
    cluster.add(pod)
    server = await start(cluster)
    async with client_for(server) as client:
        answer = await client.delete("/apis/batch/v1/namespaces/x/jobs/j")
    assert answer.json()["status"] == "Success"
    assert answer.json()["details"]["kind"] == "jobs"
    assert cluster.objects("pods", "x") == []


@pytest.mark.asyncio
async def test_a_namespace_goes_with_its_content(start: StartServer, client_for: ClientFor) -> None:
    server = await start(Cluster("1.24", [running_pod(), config()], users()))
    async with client_for(server) as client:
        assert (await client.delete("/api/v1/namespaces/keptn-exec")).status_code == 200
        assert (await client.get(PODS)).json()["items"] == []
        assert (await client.post(PODS, json=running_pod())).status_code == 404


@pytest.mark.asyncio
async def test_a_collection_is_deleted_by_selector(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [running_pod("a"), running_pod("b")], users()))
    async with client_for(server) as client:
        answer = await client.delete(f"{PODS}?fieldSelector=metadata.name%3Da")
    assert [item["metadata"]["name"] for item in answer.json()["items"]] == ["a"]
    assert [p["metadata"]["name"] for p in server.cluster.objects("pods")] == ["b"]


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    async for line in lines:
        yield json.loads(line)


async def _next(events: AsyncIterator[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    async with asyncio.timeout(5):
        event = await anext(events)
    return event["type"], event["object"]


def _watch(client: httpx.AsyncClient, query: str) -> Any:
    return client.stream("GET", f"{PODS}?watch=true&{query}")


@pytest.mark.asyncio
async def test_a_watch_tells_changes_as_its_selector_sees_them(
    start: StartServer, client_for: ClientFor
) -> None:
    cluster = Cluster("1.24", [running_pod()], users())
    server = await start(cluster)
    revision = cluster.revision
    query = f"resourceVersion={revision}&labelSelector=app%3Dhelm-service"
    async with client_for(server) as client, _watch(client, query) as response:
        events = _events(response.aiter_lines())
        other = running_pod("other")
        other["metadata"]["labels"] = {"app": "other"}
        cluster.add(other)
        cluster.patch("pods", "helm-service-0", {"status": {"phase": "Failed"}}, "keptn-exec")
        assert (await _next(events))[0] == "MODIFIED"
        cluster.patch(
            "pods", "other", {"metadata": {"labels": {"app": "helm-service"}}}, "keptn-exec"
        )
        kind, obj = await _next(events)
        assert (kind, obj["metadata"]["name"]) == ("ADDED", "other")
        cluster.patch("pods", "other", {"metadata": {"labels": {"app": "x"}}}, "keptn-exec")
        assert (await _next(events))[0] == "DELETED"
        cluster.remove("pods", "helm-service-0", "keptn-exec")
        assert (await _next(events))[0] == "DELETED"


@pytest.mark.asyncio
async def test_a_streamed_list_ends_with_its_bookmark(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.36", [running_pod("a"), running_pod("b")], users()))
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async with client_for(server) as client, _watch(client, query) as response:
        events = _events(response.aiter_lines())
        found = [await _next(events) for _ in range(3)]
    assert [kind for kind, _ in found] == ["ADDED", "ADDED", "BOOKMARK"]
    annotations = found[2][1]["metadata"]["annotations"]
    assert annotations == {"k8s.io/initial-events-end": "true"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("generation", "query", "words"),
    [
        ("1.20", "resourceVersionMatch=NotOlderThan", "forbidden for watch"),
        ("1.30", "sendInitialEvents=true&resourceVersionMatch=NotOlderThan", "feature gate"),
        ("1.36", "sendInitialEvents=true", "requires setting resourceVersionMatch"),
        ("1.36", "resourceVersionMatch=NotOlderThan", "unless sendInitialEvents"),
    ],
)
async def test_streamed_lists_are_refused_where_the_server_lacks_them(
    generation: str, query: str, words: str, start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster(generation, [running_pod()], users()))
    async with client_for(server) as client:
        answer = await client.get(f"{PODS}?watch=true&{query}")
    assert answer.status_code == 422
    assert words in answer.json()["message"]


@pytest.mark.asyncio
async def test_a_watch_from_a_forgotten_version_is_an_error_event(
    start: StartServer, client_for: ClientFor
) -> None:
    cluster = Cluster("1.24", [running_pod()], users())
    old = cluster.revision - 1
    cluster.compact()
    server = await start(cluster)
    async with client_for(server) as client:
        answer = await client.get(f"{PODS}?watch=true&resourceVersion={old}")
    event = json.loads(answer.text)
    assert event["type"] == "ERROR"
    assert event["object"]["code"] == 410


@pytest.mark.asyncio
async def test_a_watch_ends_when_its_time_is_over(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [running_pod()], users(), lambda: NOW))
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    async with client_for(server) as client:
        answer = await client.get(f"{PODS}?watch=true&timeoutSeconds=1", headers=accept)
    event = json.loads(answer.text)
    assert event["object"]["rows"][0]["cells"][:3] == ["helm-service-0", "0/1", "Running"]
