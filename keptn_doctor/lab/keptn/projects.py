"""Projects of one Keptn: making and deleting them, their shipyards and files, per version.

Sources: ``shipyard-controller/handler/projecthandler.go``, ``projectmanager.go`` @0.8.7, @0.16.0,
``internal/handler/projecthandler.go``, ``projectmanager.go`` @1.4.5.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import timedelta
from typing import Any

import msgspec
import yaml

from keptn_doctor.lab.keptn.events import Event, new_id
from keptn_doctor.lab.keptn.messaging import publish
from keptn_doctor.lab.keptn.sequences import SOURCE, UnreadableShipyardError
from keptn_doctor.lab.keptn.shipyards import InvalidShipyardError, Shipyard, read
from keptn_doctor.lab.keptn.state import KeptnState
from keptn_doctor.lab.network.exchange import Answer, Call, as_error, as_json
from keptn_doctor.lab.settings import ProjectSettings

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_LONGEST_NAME = 200
_UPSTREAMS = {
    "none": "Could not find credentials for upstream repository",
    "not-found": "Upstream repository not found",
    "credentials": "Wrong token for upstream repository",
}


def shipyard_of(state: KeptnState, name: str) -> Shipyard:
    """The shipyard as shipyard-controller gets it from configuration- or resource-service.

    Raises:
        UnreadableShipyardError: nobody gives it out.
        InvalidShipyardError: it is none.
    """
    unreachable = _no_files(state)
    if unreachable:
        raise UnreadableShipyardError(unreachable)
    project = state.projects.get(name)
    if project is None:
        raise UnreadableShipyardError(f"project {name} not found: Project does not exist")
    problem = upstream_problem(state, project)
    if problem:
        raise UnreadableShipyardError(problem)
    return read(shipyard_text(state, project))


def _no_files(state: KeptnState) -> str:
    """Why the component that keeps files cannot be reached; "" when it can."""
    keeper = "configuration-service" if state.version < (0, 16, 0) else "resource-service"
    names = {"configuration-service", "resource-service"}
    if all(b.component not in names or b.state == "up" for b in state.settings.backends):
        return ""
    return f'Get "http://{keeper}:8080/v1/project": dial tcp: connect: connection refused'


def shipyard_text(state: KeptnState, project: ProjectSettings) -> str:
    """What POST project gave; for a scenario's own project at least its stages and sequences."""
    if project.shipyard:
        return project.shipyard
    stages = []
    for stage in project.stages:
        known = [
            s.name
            for s in state.settings.sequences
            if (s.project, s.stage) == (project.name, stage)
        ]
        sequences = [{"name": name, "tasks": []} for name in dict.fromkeys(known)]
        stages.append({"name": stage} | ({"sequences": sequences} if sequences else {}))
    return yaml.safe_dump(
        {
            "apiVersion": "spec.keptn.sh/0.2.2",
            "kind": "Shipyard",
            "metadata": {"name": f"shipyard-{project.name}"},
            "spec": {"stages": stages},
        },
        sort_keys=False,
    )


def upstream_problem(state: KeptnState, project: ProjectSettings) -> str:
    """What keeps the project's files from being read; "" for nothing."""
    if project.upstream == "none" and state.version < (0, 16, 0):
        return ""
    return _UPSTREAMS.get(project.upstream, "")


def shown(state: KeptnState, project: ProjectSettings) -> dict[str, Any]:
    """A project as the API shows it."""
    made = state.made_at.get(project.name, state.started - timedelta(days=30))
    created = str(int(made.timestamp()) * 10**9)
    found: dict[str, Any] = {
        "creationDate": created,
        "projectName": project.name,
        "shipyardVersion": "0.2.0",
        "shipyard": shipyard_text(state, project),
        "stages": [
            {
                "stageName": stage,
                "services": [
                    {"serviceName": service, "creationDate": created}
                    for service in project.services
                ],
            }
            for stage in project.stages
        ],
    }
    if project.upstream == "none":
        return found
    remote = f"https://git.example.com/keptn/{project.name}.git"
    if state.version < (0, 17, 0):
        return found | {"gitRemoteURI": remote, "gitUser": "keptn"}
    return found | {"gitCredentials": {"remoteURL": remote, "user": "keptn"}}


def create(state: KeptnState, call: Call) -> Answer:
    """``POST project``."""
    body = call.json()
    if not isinstance(body, dict):
        return as_error(400, "Invalid request format: invalid character")
    try:
        shipyard, text = _valid(state, body)
    except InvalidShipyardError as error:
        return as_error(400, f"Invalid payload: {error}")
    name, has_git = str(body["name"]), _has_git(state, body)
    provisioned = state.settings.automatic_provisioning and state.version >= (0, 14, 0)
    if state.version >= (0, 18, 0) and not has_git and not provisioned:
        return as_error(400, "Invalid payload: gitCredentials cannot be empty")
    _announce(state, call, "project.create.started", {"project": name})
    refused = _not_made(state, name, has_git=has_git, provisioned=provisioned)
    if refused is not None:
        failed = {"project": name, "status": "errored", "result": "fail"}
        _announce(state, call, "project.create.finished", failed)
        return refused
    git = has_git or provisioned
    state.projects[name] = ProjectSettings(
        name=name, stages=shipyard.stages, services=(), shipyard=text,
        upstream="ok" if git else "none",
    )  # fmt: skip
    state.made_at[name] = call.at
    state.controller.forget(name)
    if git:
        state.git_credentials.add(name)
    good = {"project": name, "status": "succeeded", "result": "pass"}
    _announce(state, call, "project.create.finished", good)
    return Answer(status=201)


def _valid(state: KeptnState, body: dict[str, Any]) -> tuple[Shipyard, str]:
    """The shipyard of a request to make a project, parsed and as text."""
    name = body.get("name")
    if not name:
        raise InvalidShipyardError("project name missing")
    if state.version >= (0, 14, 0) and len(str(name)) > _LONGEST_NAME:
        raise InvalidShipyardError(
            f"project name exceeds maximum size of {_LONGEST_NAME} characters"
        )
    if not _NAME.fullmatch(str(name)):
        raise InvalidShipyardError("provided project name is not a valid Keptn entity name")
    if not body.get("shipyard"):
        raise InvalidShipyardError("shipyard must contain a valid shipyard spec encoded in base64")
    try:
        text = base64.b64decode(str(body["shipyard"]), validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise InvalidShipyardError("could not decode shipyard content") from None
    return read(text), text


def _has_git(state: KeptnState, body: dict[str, Any]) -> bool:
    """Whether an upstream is named, in the fields that the version reads."""
    if state.version < (0, 17, 0):
        return bool(body.get("gitRemoteURL"))
    credentials = body.get("gitCredentials")
    return isinstance(credentials, dict) and bool(credentials.get("remoteURL"))


def _not_made(
    state: KeptnState, name: str, *, has_git: bool, provisioned: bool
) -> Answer | None:
    """Why a good request for a project fails."""
    if name in state.projects:
        return as_error(
            409, f"could not create project '{name}': project with this name already exists"
        )
    unreachable = _no_files(state)
    if unreachable:
        return as_error(500, unreachable)
    if not has_git:
        if state.version >= (0, 16, 0) and not provisioned:
            return as_error(500, _UPSTREAMS["none"])
        return None
    later = state.version >= (1, 0, 0)
    match state.settings.delivery.new_upstream:
        case "not-found":
            return as_error(404 if later else 400, _UPSTREAMS["not-found"])
        case "credentials":
            return as_error(424, _UPSTREAMS["credentials"])
        case "initialised":
            return as_error(409 if later else 500, "project upstream is already initialized")
    return None


def delete(state: KeptnState, call: Call, name: str) -> Answer:
    """``DELETE project/{p}``: 200, also for what never existed."""
    project = state.projects.pop(name, None)
    text = ""
    if project is None:
        text = (
            f"Project {name} cannot be retrieved anymore. Any Git upstream of the project will "
            "not be deleted.\n"
        )
    elif project.upstream != "none":
        remote = f"https://git.example.com/keptn/{name}.git"
        text = f"The Git upstream of the project will not be deleted: {remote}\n"
    state.made_at.pop(name, None)
    state.git_credentials.discard(name)
    state.files = {place: f for place, f in state.files.items() if place[0] != name}
    state.controller.forget(name)
    unreachable = _no_files(state)
    if unreachable:  # the database is clean by now, and Git is not
        failed = {"project": name, "status": "errored", "result": "fail"}
        _announce(state, call, "project.delete.finished", failed)
        return as_error(500, f"could not delete project: {unreachable}")
    good = {"project": name, "status": "succeeded", "result": "pass"}
    _announce(state, call, "project.delete.finished", good)
    return as_json(200, {"message": text})


def create_service(state: KeptnState, call: Call, name: str) -> Answer:
    """``POST project/{p}/service``."""
    body = call.json()
    project = state.projects.get(name)
    if project is None:
        return as_error(404, f"project {name} not found")
    service = str(body.get("serviceName") or "") if isinstance(body, dict) else ""
    if not service:
        return as_error(400, "Invalid payload: Service name is missing")
    if service in project.services:
        return as_error(409, "service already exists")
    problem = upstream_problem(state, project)
    if problem:
        return as_error(500, problem)
    services = (*project.services, service)
    state.projects[name] = msgspec.structs.replace(project, services=services)
    good = {"project": name, "service": service, "status": "succeeded", "result": "pass"}
    _announce(state, call, "service.create.finished", good)
    return as_json(200, {})


def _announce(state: KeptnState, call: Call, name: str, data: dict[str, Any]) -> None:
    event = Event(
        id=new_id(), type=f"sh.keptn.event.{name}", source=SOURCE, time=call.at,
        context=new_id(), data=data,
    )  # fmt: skip
    publish(state, event)
