"""The gateway of each Keptn version, asked over HTTP: routes, authentication, what it hides."""

from __future__ import annotations

import base64
import json

import pytest
from sim_worlds import REGISTRATION, TOKEN, ask, world

from keptn_doctor.lab.settings import (
    BackendSettings,
    EventSettings,
    ProjectSettings,
    SequenceSettings,
    StoreSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio

ALL = ("0.8.7", "0.9.2", "0.10.0", "0.11.4", "0.13.6", "0.16.2", "0.19.3", "1.0.0", "1.4.5")


def _down(component: str, state: str = "down", **more):
    return {"backends": (BackendSettings(component=component, state=state, **more),)}


@pytest.mark.parametrize("version", ALL)
async def test_the_version_can_be_read_without_a_token(version):
    async with Simulation(world(version)) as lab:
        answer = await ask(lab, "/api/swagger-ui/swagger.yaml", token=None)
        assert f"version: {version}\n" in answer.text
        assert (await ask(lab, "/nginx-health", token=None)).text == "OK"


@pytest.mark.parametrize("version", ALL)
async def test_a_good_token_opens_every_route(version):
    async with Simulation(world(version)) as lab:
        metadata = (await ask(lab, "/api/v1/metadata")).json()
        assert metadata["keptnversion"] == version
        auth = await ask(lab, "/api/v1/auth")
        assert (auth.status_code, auth.content) == (200, b"")
        assert isinstance((await ask(lab, REGISTRATION)).json(), list)
        assert (await ask(lab, "/api/mongodb-datastore/event")).json()["nextPageKey"] == "0"


@pytest.mark.parametrize(("version", "server"), [("0.10.0", "nginx/1.19.4"), ("0.11.0", "nginx")])
async def test_the_server_header_loses_its_version_in_0_11(version, server):
    async with Simulation(world(version)) as lab:
        assert (await ask(lab, "/nowhere")).headers["server"] == server


@pytest.mark.parametrize(
    ("version", "kind", "start"),
    [
        ("0.8.7", "text/html", "<html>\r\n<head><title>401 Authorization Required"),
        ("0.18.2", "text/html", "<html>"),
        (
            "0.19.0",
            "text/plain",
            '{"code":401, "message":"unauthenticated or invalid credentials"}',
        ),
        ("1.4.5", "text/plain", '{"code":401, '),
    ],
)
@pytest.mark.parametrize("token", ["wrong", None])
async def test_a_bad_token_gets_the_401_of_its_version(version, kind, start, token):
    async with Simulation(world(version)) as lab:
        answer = await ask(lab, REGISTRATION, token=token)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == kind
        assert answer.text.startswith(start)


async def test_api_service_words_its_own_401s():
    async with Simulation(world("0.13.6")) as lab:
        wrong = await ask(lab, "/api/v1/metadata", token="wrong")
        assert wrong.json() == {"code": 401, "message": "incorrect api key auth"}
        none = await ask(lab, "/api/v1/metadata", token=None)
        assert none.json()["message"] == "unauthenticated for invalid credentials"


@pytest.mark.parametrize(("version", "status"), [("1.1.0", 500), ("1.2.0", 429)])
async def test_a_dead_api_service_is_masked_on_protected_routes_only(version, status):
    async with Simulation(world(version, keptn=_down("api-service"))) as lab:
        masked = await ask(lab, REGISTRATION)
        assert masked.status_code == status
        assert ("too many requests" in masked.text) == (status == 429)
        assert (await ask(lab, "/api/v1/metadata")).status_code == 502
        assert (await ask(lab, "/api/v1/auth")).status_code == 502
        lines = [text for _, text in lab.gateways["keptn"].log]
        assert any("auth request unexpected status: 502 while sending" in x for x in lines)


async def test_a_hanging_api_service_ends_in_504():
    async with Simulation(world("1.4.5", keptn=_down("api-service", "hang"))) as lab:
        assert (await ask(lab, "/api/v1/metadata")).status_code == 504
        assert (await ask(lab, REGISTRATION)).status_code == 429


async def test_a_dead_backend_is_a_502_behind_a_valid_token():
    async with Simulation(world("1.4.5", keptn=_down("shipyard-controller"))) as lab:
        answer = await ask(lab, REGISTRATION)
        assert (answer.status_code, "502 Bad Gateway" in answer.text) == (502, True)
        assert (await ask(lab, REGISTRATION, token="wrong")).status_code == 401
        assert (await ask(lab, "/api/v1/metadata")).status_code == 200


async def test_a_stale_upstream_address_times_out_while_connecting():
    stale = _down("shipyard-controller", "stale-address")
    async with Simulation(world("1.0.0", keptn=stale)) as lab:
        assert (await ask(lab, REGISTRATION)).status_code == 504
        text = lab.gateways["keptn"].log[0][1]
        assert "upstream timed out (110: Operation timed out) while connecting to upstream" in text


async def test_a_missing_upstream_service_keeps_the_gateway_from_starting():
    missing = _down("statistics-service", "missing-service")
    async with Simulation(world("0.17.0", keptn=missing)) as lab:
        with pytest.raises(Exception, match="onnect"):
            await ask(lab, "/nginx-health")


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/controlPlane/v1/uniform/registration", "POST", 404),  # /api forgotten
        ("/controlPlane/v1/uniform/registration/x/ping", "PUT", 405),
        ("/nowhere", "GET", 404),
    ],
)
async def test_paths_outside_api_are_answered_by_nginx_itself(path, method, status):
    async with Simulation(world("1.4.5")) as lab:
        answer = await ask(lab, path, method=method)
        assert (answer.status_code, "<center>nginx" in answer.text) == (status, True)


@pytest.mark.parametrize(
    "path",
    [
        "/api/api/controlPlane/v1/uniform/registration",
        "/api/controlplane/v1/uniform/registration",
    ],
)
async def test_a_doubled_or_misspelt_prefix_lands_at_api_service(path):
    async with Simulation(world("1.4.5")) as lab:
        answer = await ask(lab, path)
        assert answer.status_code == 404
        assert answer.json()["message"] == f"path {path.removeprefix('/api')} was not found"


async def test_a_prefix_path_moves_all_but_the_health_location():
    async with Simulation(world("1.4.5", keptn={"prefix_path": "/keptn"})) as lab:
        assert (await ask(lab, "/keptn/api/v1/metadata")).status_code == 200
        assert (await ask(lab, "/api/v1/metadata")).status_code == 404
        assert (await ask(lab, "/nginx-health")).status_code == 200


@pytest.mark.parametrize(
    ("version", "old", "new"),
    [
        ("0.17.1", 200, 404),
        ("0.18.2", 200, 200),
        ("0.19.3", 404, 200),
    ],
)
async def test_the_path_to_resources_moves_in_0_18_and_0_19(version, old, new):
    async with Simulation(world(version)) as lab:
        path = "/v1/project/sockshop/resource"
        assert (await ask(lab, f"/api/configuration-service{path}")).status_code == old
        assert (await ask(lab, f"/api/resource-service{path}")).status_code == new


async def test_internal_paths_are_forbidden_from_0_13():
    async with Simulation(world("0.13.0")) as lab:
        assert (await ask(lab, "/api/mongodb-datastore/health")).status_code == 403
        assert (await ask(lab, "/api/controlPlane/v1/log", method="DELETE")).status_code == 403
        denied = await ask(lab, "/api/configuration-service/v1/project/sockshop", token="wrong")
        assert denied.status_code == 403
    async with Simulation(world("0.12.7")) as lab:
        assert (await ask(lab, "/api/mongodb-datastore/health")).status_code == 200


@pytest.mark.parametrize(
    ("version", "size", "status"),
    [
        ("0.15.1", 2_000_000, 413),
        ("0.16.0", 2_000_000, 200),
        ("0.16.0", 6_000_000, 413),
    ],
)
async def test_the_body_limit_grows_in_0_16(version, size, status):
    async with Simulation(world(version)) as lab:
        event = {"type": "sh.keptn.event.x.invalidated", "source": "t", "data": {"x": "y" * size}}
        answer = await ask(lab, "/api/v1/event", method="POST", content=json.dumps(event).encode())
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("mongodb", "read", "write", "word"),
    [
        ("down", 500, 500, "server selection error"),
        ("wrong-credentials", 500, 500, "SCRAM-SHA-256"),
        ("disk-full", 200, 500, "No space left on device"),
    ],
)
async def test_a_broken_mongodb_shows_in_shipyard_controller(mongodb, read, write, word):
    async with Simulation(world("1.4.5", keptn={"store": StoreSettings(mongodb=mongodb)})) as lab:
        assert (await ask(lab, REGISTRATION)).status_code == read
        answer = await ask(lab, REGISTRATION, method="POST", content=b"{}")
        assert answer.status_code == write
        assert word in answer.json()["message"]
        assert (await ask(lab, "/api/v1/metadata")).status_code == 200


async def test_a_full_disk_freezes_every_heartbeat():
    store = StoreSettings(mongodb="disk-full", mongodb_ago_s=5000)
    async with Simulation(world("1.4.5", keptn={"store": store})) as lab:
        seen = {r["metadata"]["lastseen"][:16] for r in (await ask(lab, REGISTRATION)).json()}
        assert len(seen) == 1


EVENT = {"type": "sh.keptn.event.keptn-doctor.invalidated", "source": "test", "data": {}}


async def _post(lab, event, **more):
    content = json.dumps(event).encode()
    return await ask(lab, "/api/v1/event", method="POST", content=content, **more)


@pytest.mark.parametrize("version", ALL)
async def test_an_event_without_a_project_can_be_read_back(version):
    async with Simulation(world(version)) as lab:
        context = (await _post(lab, EVENT)).json()["keptnContext"]
        found = (await ask(lab, f"/api/mongodb-datastore/event?keptnContext={context}")).json()
        assert [e["type"] for e in found["events"]] == [EVENT["type"]]


async def test_without_nats_nothing_can_be_sent_and_everything_else_works():
    async with Simulation(world("1.4.5", keptn={"store": StoreSettings(nats="down")})) as lab:
        answer = await _post(lab, EVENT)
        assert answer.status_code == 500
        assert "nats: no servers available for connection" in answer.json()["message"]
        assert (await ask(lab, REGISTRATION)).status_code == 200


async def test_an_event_that_nobody_stores_is_still_accepted():
    store = StoreSettings(unmapped_events_lost=True)
    async with Simulation(world("1.4.5", keptn={"store": store})) as lab:
        context = (await _post(lab, EVENT)).json()["keptnContext"]
        found = (await ask(lab, f"/api/mongodb-datastore/event?keptnContext={context}")).json()
        assert found["totalCount"] == 0


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            {
                "type": "sh.keptn.event.deployment.started",
                "source": "s",
                "data": {"project": "p", "stage": "d", "service": "c"},
            },
            "triggeredid must be set",
        ),
        (
            {
                "type": "sh.keptn.event.deployment.triggered",
                "source": "s",
                "data": {"project": "p"},
            },
            "unknown event type action: triggered",
        ),
        (
            {
                "type": "sh.keptn.event.dev.delivery.triggered",
                "source": "s",
                "data": {"project": "p", "stage": "prod", "service": "c"},
            },
            "stage does not match event type",
        ),
        ({"type": "my.event", "source": "s", "data": {"a": 1}}, "unknown event type"),
    ],
)
async def test_validation_refuses_bad_events_from_0_19_when_switched_on(event, message):
    async with Simulation(world("0.19.3", keptn={"event_validation": True})) as lab:
        answer = await _post(lab, event)
        assert (answer.status_code, answer.json()["message"]) == (400, message)
        assert (await _post(lab, EVENT)).status_code == 200
    async with Simulation(world("0.18.2", keptn={"event_validation": True})) as lab:
        assert (await _post(lab, event)).status_code == 200


async def test_missing_fields_of_an_event_are_named():
    async with Simulation(world("1.4.5")) as lab:
        answer = await _post(lab, {"source": "t", "data": {}})
        assert (answer.status_code, answer.json()) == (
            422,
            {"code": 602, "message": "type in body is required"},
        )


async def test_a_sequence_that_cannot_start_answers_that_it_failed():
    event = {
        "type": "sh.keptn.event.dev.keptn-doctor.triggered",
        "source": "t",
        "data": {"project": "sockshop", "stage": "dev", "service": "carts"},
    }
    async with Simulation(world("1.4.5")) as lab:
        context = (await _post(lab, event)).json()["keptnContext"]
        found = (await ask(lab, f"/api/mongodb-datastore/event?keptnContext={context}")).json()
        finished = [e for e in found["events"] if e["type"].endswith("keptn-doctor.finished")]
        assert finished[0]["data"]["status"] == "errored"


OPEN = EventSettings(type="sh.keptn.event.deployment.triggered", open=True, id="e1", ago_s=100)
POLL = "/api/controlPlane/v1/event/triggered/sh.keptn.event.deployment.triggered"


async def test_open_events_are_offered_by_type_project_and_stage():
    async with Simulation(world("1.4.5", keptn={"events": (OPEN,)})) as lab:
        assert [e["id"] for e in (await ask(lab, POLL)).json()["events"]] == ["e1"]
        assert (await ask(lab, f"{POLL}?project=sockshop&stage=prod")).json()["totalCount"] == 0
        assert (await ask(lab, POLL.replace("deployment", "*"))).json()["events"] == []


@pytest.mark.parametrize(("version", "status"), [("0.9.0", 500), ("0.9.1", 404), ("1.4.5", 404)])
async def test_polling_for_an_unknown_project_fails_by_version(version, status):
    async with Simulation(world(version)) as lab:
        assert (await ask(lab, f"{POLL}?project=nope")).status_code == status


async def test_projects_pages_and_sequences_can_be_read():
    keptn = {
        "projects": tuple(ProjectSettings(name=f"p{i}") for i in range(25)),
        "sequences": (SequenceSettings(project="p1", state="started"),),
    }
    async with Simulation(world("0.18.2", keptn=keptn)) as lab:
        first = (await ask(lab, "/api/controlPlane/v1/project")).json()
        assert (len(first["projects"]), first["nextPageKey"], first["totalCount"]) == (20, "20", 25)
        rest = (await ask(lab, "/api/controlPlane/v1/project?nextPageKey=20")).json()
        assert (len(rest["projects"]), rest["nextPageKey"]) == (5, "0")
        states = (await ask(lab, "/api/controlPlane/v1/sequence/p1")).json()["states"]
        assert [s["state"] for s in states] == ["started"]
        path = "/api/controlPlane/v1/sequence-execution?project=p1"
        assert (await ask(lab, path)).status_code == 200


SHIPYARD = base64.b64encode(b"""
apiVersion: spec.keptn.sh/0.2.2
kind: Shipyard
spec:
  stages:
  - name: dev
""").decode()


@pytest.mark.parametrize(("version", "status"), [("0.15.1", 201), ("0.16.2", 500), ("0.18.0", 400)])
async def test_a_new_project_needs_an_upstream_from_0_16(version, status):
    async with Simulation(world(version)) as lab:
        body = json.dumps({"name": "new", "shipyard": SHIPYARD}).encode()
        path = "/api/controlPlane/v1/project"
        assert (await ask(lab, path, method="POST", content=body)).status_code == status
        assert (await ask(lab, f"{path}/new")).status_code == (200 if status == 201 else 404)
        assert (await ask(lab, f"{path}/never", method="DELETE")).status_code == 200


async def test_a_git_upstream_that_hangs_times_out_for_resources_alone():
    keptn = {"projects": (ProjectSettings(upstream="slow"),)}
    async with Simulation(world("0.19.3", keptn=keptn)) as lab:
        path = "/api/resource-service/v1/project/sockshop/resource"
        assert (await ask(lab, path)).status_code == 504
        assert (await ask(lab, REGISTRATION)).status_code == 200


async def test_error_logs_can_be_added_and_read():
    async with Simulation(world("1.4.5")) as lab:
        body = json.dumps({"logs": [{"integrationid": "x", "message": "boom"}]}).encode()
        path = "/api/controlPlane/v1/log"
        assert (await ask(lab, path, method="POST", content=body)).status_code == 200
        found = (await ask(lab, f"{path}?integrationId=x")).json()
        assert [entry["message"] for entry in found["logs"]] == ["boom"]


async def test_requests_are_in_the_access_log_in_combined_format():
    async with Simulation(world("1.4.5")) as lab:
        await ask(lab, REGISTRATION, headers={"User-Agent": "keptn-doctor/test"})
        line = lab.gateways["keptn"].log[-1][1]
        assert f'"GET {REGISTRATION} HTTP/1.1" 200 ' in line
        assert line.endswith('"-" "keptn-doctor/test"')
        assert TOKEN not in line


async def test_every_other_request_can_be_slow():
    slow = BackendSettings(component="shipyard-controller", slow_ms=700, every=2)
    async with Simulation(world("1.4.5", keptn={"backends": (slow,)})) as lab:
        answers = [(await ask(lab, REGISTRATION)).status_code for _ in range(4)]
        assert answers == [200, 504, 200, 504]
