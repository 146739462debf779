"""Events in whole worlds: who answers by default, what counts as a write, what is left."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from world_lab import ask, kube

from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]
QUICK = "delivery: {dispatch-every: 0.01s, poll-every: 0.01s}"
SHIPYARD = (
    "apiVersion: spec.keptn.sh/0.2.2\nkind: Shipyard\nmetadata: {name: s}\nspec:\n  stages:\n"
    "  - {name: dev, sequences: [{name: try, tasks: [{name: TASK}]}]}\n"
)


async def call(lab: Lab, method: str, path: str, body: object = None) -> httpx.Response:
    """One request of the operator to the Keptn API."""
    host, port = lab.simulation.network().destination("203.0.113.20", 80)
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(
            method, f"http://{host}:{port}/api{path}", json=body,
            headers={"Host": "keptn.example.com", "x-token": lab.api_token},
        )  # fmt: skip


async def sources(lab: Lab, task: str, *, answered: bool = True, **data: Any) -> list[str]:
    """Who answers a task of an own project; the project is deleted again."""
    encoded = base64.b64encode(SHIPYARD.replace("TASK", task).encode()).decode()
    made = await call(
        lab, "POST", "/controlPlane/v1/project",
        {"name": "round-trip", "shipyard": encoded, "gitCredentials": {"remoteURL": "https://g/r"}},
    )  # fmt: skip
    assert made.status_code == 201, made.text
    sent = await call(
        lab, "POST", "/v1/event",
        {
            "type": "sh.keptn.event.dev.try.triggered", "source": "test",
            "data": {"project": "round-trip", "stage": "dev", "service": "svc", **data},
        },
    )  # fmt: skip
    context = sent.json()["keptnContext"]
    events: list[dict[str, Any]] = []
    for _ in range(150 if answered else 15):
        await asyncio.sleep(0.02)
        found = await call(lab, "GET", f"/mongodb-datastore/event?keptnContext={context}")
        events = [e for e in reversed(found.json()["events"]) if e["source"] != "test"]
        if answered and events and events[-1]["type"].endswith(".try.finished"):
            break
    await call(lab, "DELETE", "/controlPlane/v1/project/round-trip")
    return [f"{e['source']} {e['type'].rpartition('.')[2]}" for e in events]


async def test_the_default_world_answers_by_its_services_and_counts_foreign_writes() -> None:
    async with start(loads(f"title: t\ncontrol-plane: {{{QUICK}}}")) as lab:
        deployed = await sources(lab, "deployment")
        assert deployed == [
            "shipyard-controller triggered", "helm-service started", "helm-service finished",
            "shipyard-controller finished",
        ]  # fmt: skip
        tested = await sources(
            lab, "test", deployment={"deploymentURIsLocal": ["http://127.0.0.1:8080"]},
            test={"teststrategy": "functional"},
        )  # fmt: skip
        assert tested[1:3] == ["jmeter-service started", "jmeter-service finished"]
        silent = await sources(lab, "remote-task", answered=False)
        assert silent == ["shipyard-controller triggered"]
        assert lab.left_of("round-trip") == {}
        seen = [(w.server, w.method, w.path.rpartition("/")[2]) for w in lab.writes()]
        once = [("POST", "project"), ("POST", "event"), ("DELETE", "round-trip")]
        assert [rest for _, *rest in seen] == [list(pair) for pair in once * 3]


async def test_reads_authentication_and_reviews_are_no_writes() -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}},
    }  # fmt: skip
    async with start(loads("title: t")) as lab:
        url = f"{lab.endpoint}/v1/auth"
        assert (await ask(lab, url, token=lab.api_token, method="POST")).is_success
        await call(lab, "GET", "/controlPlane/v1/project")
        async with kube(lab, "exec-a") as client:
            path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
            assert (await client.post(path, json=review)).is_success
            assert lab.writes() == ()
            await client.delete("/api/v1/namespaces/keptn-exec/pods/nothing")
        assert [(w.server, w.method) for w in lab.writes()] == [("exec-a", "DELETE")]


async def test_what_is_posted_through_a_pods_own_port_is_a_write() -> None:
    event = {"type": "sh.keptn.event.x.invalidated", "source": "s", "data": {}}
    async with start(loads("title: t")) as lab:
        run = lab.simulation.run_of("exec-a", "keptn-exec", "helm-service")
        assert run is not None
        port = next(p for p in run.pods[0].ports if p.number == 8081)
        reader, writer = await port.open()
        body = json.dumps(event).encode()
        writer.write(
            b"POST /event HTTP/1.1\r\nHost: l\r\nConnection: close\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
        )  # fmt: skip
        assert b" 200 " in (await reader.read()).split(b"\r\n")[0]
        writer.close()
        assert [w.path for w in lab.writes()] == ["/api/v1/event"]
