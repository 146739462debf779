"""Making and deleting projects of a simulated Keptn, by its version's rules."""

from __future__ import annotations

import base64
import json

import pytest
from sim_deliveries import CONTROL, PROJECT, git, make, post, quick, shipyard
from sim_worlds import ask, world

from keptn_doctor.lab.settings import BackendSettings, EventSettings, StoreSettings
from keptn_doctor.lab.simulation import Simulation

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]
OLD_GIT, NEW_GIT = git("0.16.2"), git("0.17.1")
NO_GIT = {"gitCredentials": None, "gitRemoteURL": ""}


@pytest.mark.parametrize(
    ("version", "fields", "status", "phrase"),
    [
        ("0.15.1", NO_GIT, 201, ""),
        ("0.16.2", NO_GIT, 500, "Could not find credentials for upstream repository"),
        ("0.16.2", OLD_GIT, 201, ""),
        ("0.16.2", NO_GIT | NEW_GIT, 500, "Could not find credentials for upstream repository"),
        ("0.17.1", NO_GIT, 500, "Could not find credentials for upstream repository"),
        ("0.17.1", NEW_GIT, 201, ""),
        ("0.18.2", NO_GIT, 400, "gitCredentials cannot be empty"),
        ("1.4.5", NEW_GIT, 201, ""),
    ],
)
async def test_an_upstream_is_wanted_by_the_versions_rule(version, fields, status, phrase):
    async with Simulation(world(version)) as lab:
        answer = await make(lab, version, **fields)
        assert answer.status_code == status
        assert phrase in answer.text
        there = (await ask(lab, f"{CONTROL}/project/{PROJECT}")).status_code
        assert there == (200 if status == 201 else 404)


@pytest.mark.parametrize("version", ["0.16.2", "1.4.5"])
async def test_automatic_provisioning_needs_no_upstream(version):
    async with Simulation(world(version, keptn={"automatic_provisioning": True})) as lab:
        assert (await make(lab, version, **NO_GIT)).status_code == 201


@pytest.mark.parametrize(
    ("version", "upstream", "status"),
    [
        ("0.19.3", "not-found", 400),
        ("1.0.0", "not-found", 404),
        ("1.4.5", "credentials", 424),
        ("1.4.5", "initialised", 409),
    ],
)
async def test_what_git_says_of_the_upstream_comes_back(version, upstream, status):
    keptn = {"delivery": quick(new_upstream=upstream)}
    async with Simulation(world(version, keptn=keptn)) as lab:
        assert (await make(lab, version)).status_code == status
        assert (await ask(lab, f"{CONTROL}/project/{PROJECT}")).status_code == 404


@pytest.mark.parametrize(
    ("version", "fields", "phrase"),
    [
        ("1.4.5", {"name": "Upper"}, "not a valid Keptn entity name"),
        ("1.4.5", {"name": "1st"}, "not a valid Keptn entity name"),
        ("1.4.5", {"name": "p" * 201}, "exceeds maximum size of 200"),
        ("1.4.5", {"shipyard": "###"}, "could not decode shipyard content"),
        ("1.4.5", {"shipyard": base64.b64encode(b"spec: {}").decode()}, "API Version"),
        ("0.8.7", {"name": "under_score"}, "not a valid Keptn entity name"),
    ],
)
async def test_what_cannot_be_a_project_is_refused(version, fields, phrase):
    async with Simulation(world(version)) as lab:
        answer = await make(lab, version, **{"name": PROJECT, **fields})
        assert answer.status_code == 400
        assert phrase in answer.json()["message"]


async def test_a_project_is_made_once_with_the_shipyard_that_was_given():
    async with Simulation(world("0.13.6")) as lab:
        assert (await make(lab, "0.13.6", name="p" * 201)).status_code == 201  # 0.14 limits it
        assert (await make(lab, "0.13.6")).status_code == 201
        assert (await make(lab, "0.13.6")).status_code == 409
        shown = (await ask(lab, f"{CONTROL}/project/{PROJECT}")).json()
        assert shown["shipyard"] == shipyard("test")
        assert [s["stageName"] for s in shown["stages"]] == ["dev"]
        made = await ask(lab, f"/api/mongodb-datastore/event?project={PROJECT}")
        assert {e["type"] for e in made.json()["events"]} == {
            "sh.keptn.event.project.create.started",
            "sh.keptn.event.project.create.finished",
        }


@pytest.mark.parametrize("version", ["0.8.7", "0.16.2", "1.4.5"])
async def test_deleting_answers_200_for_what_never_was(version):
    async with Simulation(world(version)) as lab:
        answer = await ask(lab, f"{CONTROL}/project/never-was", method="DELETE")
        assert answer.status_code == 200
        assert "message" in answer.json()
        assert lab.keptn.left_of("never-was") == {}


async def test_what_the_datastore_does_not_hear_it_does_not_delete():
    event = EventSettings(type="sh.keptn.event.test.finished", source="s")
    keptn = {"events": (event,), "store": StoreSettings(unmapped_events_lost=True)}
    async with Simulation(world("1.4.5", keptn=keptn)) as lab:
        await ask(lab, f"{CONTROL}/project/sockshop", method="DELETE")
        assert lab.keptn.left_of("sockshop") == {
            "sockshop": 1, "sockshop-rootEvents": 1, "contextToProject": 1,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("version", "prefix"),
    [("0.13.6", "configuration-service"), ("0.18.2", "resource-service")],
)
async def test_a_file_comes_back_as_it_was_uploaded(version, prefix):
    async with Simulation(world(version)) as lab:
        await make(lab, version)
        service = await post(lab, f"{CONTROL}/project/{PROJECT}/service", {"serviceName": "svc"})
        assert service.status_code == 200
        base = f"/api/{prefix}/v1/project/{PROJECT}/stage/dev/service/svc/resource"
        content = base64.b64encode(b"apiVersion: v2").decode()
        body = {"resources": [{"resourceURI": "job/config.yaml", "resourceContent": content}]}
        sent = json.dumps(body).encode()
        assert (await ask(lab, base, method="POST", content=sent)).status_code == 201
        found = await ask(lab, f"{base}/job%2Fconfig.yaml")
        assert found.json()["resourceContent"] == content
        assert (await ask(lab, f"{base}/nothing.yaml")).status_code == 404


async def test_without_resource_service_no_project_is_made_and_deleting_one_fails_half_way():
    down = (BackendSettings(component="resource-service", state="down"),)
    event = EventSettings(type="sh.keptn.event.test.finished", source="s")
    keptn = {"backends": down, "events": (event,)}
    async with Simulation(world("1.4.5", keptn=keptn)) as lab:
        assert (await make(lab, "1.4.5")).status_code == 500
        deleted = await ask(lab, f"{CONTROL}/project/sockshop", method="DELETE")
        assert deleted.status_code == 500
        assert lab.keptn.left_of("sockshop") == {}
