"""What Keptn's own components write about the trouble they see."""

from __future__ import annotations

import asyncio

import pytest
from world_lab import kube, log_of, pods

from keptn_doctor.lab.keptn.events import Event
from keptn_doctor.lab.keptn.messaging import publish
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]
WRONG = "execution-planes: {exec-a: {all-services: {token: yesterdays-token}}}"


async def log(lab: Lab, workload: str) -> str:
    pod = (await pods(lab, "keptn-cp", "keptn"))[workload]
    container = pod["spec"]["containers"][0]["name"]
    return await log_of(
        lab, "keptn-cp", "keptn", pod["metadata"]["name"], container=container
    )


async def test_components_of_a_healthy_world_are_quiet() -> None:
    async with start(loads("title: t")) as lab:
        for name in ("api-service", "shipyard-controller", "mongodb-datastore", "keptn-mongo"):
            assert await log(lab, name) == ""


async def test_the_tail_of_the_gateways_log_is_the_end_of_the_whole() -> None:
    async with start(loads("title: t")) as lab:
        gateway = (await pods(lab, "keptn-cp", "keptn"))["api-gateway-nginx"]
        where = f"/api/v1/namespaces/keptn/pods/{gateway['metadata']['name']}/log"
        async with kube(lab, "keptn-cp") as client:
            tail = (await client.get(where, params={"tailLines": 40})).text.splitlines()
            whole = (await client.get(where)).text.splitlines()
    assert len(tail) == 40
    assert len(whole) > 400
    assert set(tail[:30]) <= set(whole[-60:])  # a few lines may have been added in between


async def test_a_rejected_token_is_logged_in_clear_up_to_0_19() -> None:
    async with start(loads(f"title: t\nkeptn: 0.16.2\n{WRONG}")) as lab:
        text = await log(lab, "api-service")
    assert "Access attempt with incorrect api key auth: yesterdays-token" in text


async def test_a_rejected_token_is_not_logged_from_1_0_on() -> None:
    async with start(loads(f"title: t\nkeptn: 1.4.5\n{WRONG}")) as lab:
        text = await log(lab, "api-service")
    assert "Access attempt with incorrect API token" in text
    assert "yesterdays-token" not in text


@pytest.mark.parametrize(
    ("state", "workload", "phrase"),
    [
        ("down", "shipyard-controller", "failed to connect client to MongoDB"),
        ("wrong-credentials", "mongodb-datastore", "AuthenticationFailed"),
        ("wrong-credentials", "keptn-mongo", "Authentication failed"),
        ("disk-full", "keptn-mongo", "No space left on device"),
    ],
)
async def test_a_troubled_database_shows_in_the_logs_of_who_uses_it(
    state: str, workload: str, phrase: str
) -> None:
    async with start(loads(f"title: t\ncontrol-plane: {{store: {{mongodb: {state}}}}}")) as lab:
        assert phrase in await log(lab, workload)


async def test_a_dead_nats_shows_in_the_log_of_the_controller() -> None:
    text = "title: t\ncontrol-plane: {cluster: {workloads: {keptn-nats: {replicas: 0}}}}"
    async with start(loads(text)) as lab:
        assert "nats: no servers available" in await log(lab, "shipyard-controller")


async def test_a_component_that_does_not_run_writes_nothing_new() -> None:
    text = f"title: t\n{WRONG}\ncontrol-plane: {{cluster: {{workloads: {{api-service: "
    text += "{containers: {api-service: {}}}}}}"
    async with start(loads(text)) as lab:
        assert await log(lab, "api-service") == ""


async def test_a_sequence_that_cannot_start_shows_in_the_log_of_the_controller() -> None:
    async with start(loads("title: t")) as lab:
        event = Event(
            id="1", type="sh.keptn.event.dev.nothing.triggered", source="s", time=lab.clock(),
            context="c", data={"project": "sockshop", "stage": "dev", "service": "carts"},
        )  # fmt: skip
        publish(lab.simulation.keptn, event)
        await asyncio.sleep(0)
        assert "Unable to start sequence nothing: " in await log(lab, "shipyard-controller")
