"""What can be sent to Keptn is a closed list, and only a run that was started for it sends any."""

from __future__ import annotations

import base64
import inspect
import json

import pytest
import yaml

from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes import round_trip_writes
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.round_trip import datastore_trip
from keptn_doctor.probes.round_trip_writes import (
    OwnProject,
    Write,
    harmless_event,
    is_there,
    new_empty_job,
    new_project,
    new_service,
    own_projects,
    own_sequence,
    removal,
    unknown_sequence,
    unused_project,
)
from keptn_doctor.secret import Secret

from .conftest import Serve
from .keptn_site import TOKEN, Keptn, data, error

asyncio_test = pytest.mark.asyncio
OWN = "keptn-doctor-trip-q7x-0123456789ab"
GIT_TOKEN = "git-token-9f8e7d6c5b4a"


async def api_of(serve: Serve, site: Keptn, *, active: bool) -> KeptnApi:
    return KeptnApi(
        Network(),
        f"http://127.0.0.1:{await serve(site)}/api",
        token=Secret(TOKEN),
        deadlines=Deadlines(request_s=2),
        active=active,
    )


def own() -> OwnProject:
    (project,) = own_projects([OWN])
    return project


def sent() -> list[Write]:
    """One of everything that can be sent."""
    return [
        harmless_event("c"),
        unknown_sequence("c", project="p", stage="dev", service="s"),
        own_sequence("c", own(), stage="dev", service="s", task="test"),
        new_project(own(), stage="dev", task="test"),
        new_service(own(), "s"),
        new_empty_job(own(), stage="dev", service="s", task="x", files="/resource-service"),
        removal(own()),
    ]


def test_nobody_makes_a_write_or_a_right_to_a_project_by_hand() -> None:
    with pytest.raises(TypeError):
        Write("POST", "/v1/event", b'{"type": "sh.keptn.event.project.delete.finished"}')
    with pytest.raises(TypeError):
        Write("DELETE", "/controlPlane/v1/project/sockshop", pass_=True)
    with pytest.raises(TypeError):
        OwnProject(OWN)


def test_every_way_to_a_write_is_looked_at_here() -> None:
    made = {
        name
        for name, function in inspect.getmembers(round_trip_writes, inspect.isfunction)
        if inspect.signature(function).return_annotation == "Write" and not name.startswith("_")
    }
    assert made == {"harmless_event", "unknown_sequence", "own_sequence", "new_project",
                    "new_service", "new_empty_job", "removal"}  # fmt: skip


def test_no_event_that_destroys_can_be_built() -> None:
    kinds = [json.loads(w.body)["type"] for w in sent() if w.path == "/v1/event"]
    assert kinds == [
        "sh.keptn.event.keptn-doctor.invalidated",
        "sh.keptn.event.dev.keptn-doctor.triggered",
        "sh.keptn.event.dev.round-trip.triggered",
    ]
    for stage in ("project.delete", "a b", "", "dev.x.triggered#", "dév"):
        with pytest.raises(ValueError, match="no name of a stage"):
            unknown_sequence("c", project="p", stage=stage, service="s")
    with pytest.raises(ValueError, match="no name of a task"):
        new_project(own(), stage="dev", task="a.b")


def test_only_projects_of_ones_own_can_be_removed() -> None:
    assert [w.path for w in sent() if w.method == "DELETE"] == [f"/controlPlane/v1/project/{OWN}"]
    foreign = ["sockshop", "keptn-doctor-trip-q7x", OWN + "0", OWN.upper(), "x" + OWN, OWN + "\n"]
    assert own_projects([*foreign, OWN])[0].name == OWN
    assert len(own_projects([*foreign, OWN])) == 1


def test_an_event_without_a_project_has_none() -> None:
    event = json.loads(harmless_event("ctx").body)
    assert event["shkeptncontext"] == "ctx"
    assert "project" not in event["data"]


def test_the_project_is_one_task_of_one_sequence_of_one_stage() -> None:
    body = json.loads(new_project(own(), stage="dev", task="x").body)
    shipyard = yaml.safe_load(base64.b64decode(body["shipyard"]))
    assert shipyard["spec"]["stages"] == [
        {"name": "dev", "sequences": [{"name": "round-trip", "tasks": [{"name": "x"}]}]}
    ]
    assert set(body) == {"name", "shipyard"}


def test_a_job_without_tasks_creates_nothing() -> None:
    write = new_empty_job(own(), stage="dev", service="s", task="x", files="/resource-service")
    assert write.path == f"/resource-service/v1/project/{OWN}/stage/dev/service/s/resource"
    (resource,) = json.loads(write.body)["resources"]
    job = yaml.safe_load(base64.b64decode(resource["resourceContent"]))
    assert resource["resourceURI"] == "job/config.yaml"
    assert [action["tasks"] for action in job["actions"]] == [[]]


def test_the_git_token_goes_where_this_version_wants_it_and_is_shown_nowhere() -> None:
    git = {"url": "https://git.example.com/r.git", "user": "u", "token": Secret(GIT_TOKEN)}
    flat = new_project(own(), stage="dev", task="test", git="flat", **git)  # type: ignore[arg-type]
    nested = new_project(own(), stage="dev", task="test", git="nested", **git)  # type: ignore[arg-type]
    assert json.loads(flat.body)["gitToken"] == GIT_TOKEN
    assert json.loads(nested.body)["gitCredentials"] == {
        "remoteURL": "https://git.example.com/r.git", "user": "u", "https": {"token": GIT_TOKEN},
    }  # fmt: skip
    assert GIT_TOKEN not in repr(flat) + repr(nested) + str(flat)


@asyncio_test
async def test_nothing_is_written_unless_the_run_is_active(serve: Serve) -> None:
    site = Keptn()
    api = await api_of(serve, site, active=False)
    for write in sent():
        with pytest.raises(PermissionError):
            await api.write(write)
    with pytest.raises(PermissionError):
        await datastore_trip(api)
    assert site.requests == []


@asyncio_test
async def test_no_event_holds_the_token(serve: Serve) -> None:
    site = Keptn()
    api = await api_of(serve, site, active=True)
    for write in sent():
        await api.write(write)
    assert all(token == TOKEN for _, _, token in site.requests)
    assert not any(TOKEN.encode() in body for body in site.bodies)


@asyncio_test
async def test_a_project_of_ones_own_is_one_that_keptn_does_not_know(serve: Serve) -> None:
    site = Keptn()
    found = await unused_project(await api_of(serve, site, active=False))
    (asked,) = site.requests
    assert asked[:2] == ("GET", f"/api/controlPlane/v1/project/{found.name}")
    assert own_projects([found.name])


@asyncio_test
@pytest.mark.parametrize("answer", [data({"projectName": OWN}), error(500, "no database")])
async def test_without_a_404_there_is_no_right_to_a_project(serve: Serve, answer: object) -> None:
    site = Keptn()
    everything = site.answer
    site.answer = (  # type: ignore[method-assign]
        lambda method, target, token: answer if "/project/" in target
        else everything(method, target, token)
    )  # fmt: skip
    with pytest.raises(WorldFault):
        await unused_project(await api_of(serve, site, active=False))


@asyncio_test
async def test_whether_a_project_is_there_is_not_guessed(serve: Serve) -> None:
    site = Keptn()
    api = await api_of(serve, site, active=False)
    assert not await is_there(api, own())
    site.answers[f"/controlPlane/v1/project/{OWN}"] = data({"projectName": OWN})
    assert await is_there(api, own())
    site.answers[f"/controlPlane/v1/project/{OWN}"] = error(503, "starting")
    with pytest.raises(WorldFault):
        await is_there(api, own())
