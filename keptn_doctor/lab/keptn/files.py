"""The files of projects, as configuration-service and resource-service keep them in Git.

Uploaded files are kept; of a scenario's own projects every file exists, with invented content.
Sources: ``configuration-service/swagger.yaml @0.13.6``, ``resource-service/handler/*.go @1.4.5``.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import unquote

from keptn_doctor.lab.keptn.projects import shipyard_text, upstream_problem
from keptn_doctor.lab.keptn.state import KeptnState, Place
from keptn_doctor.lab.network.exchange import Answer, Call, as_error, as_json
from keptn_doctor.lab.settings import ProjectSettings

_COMMIT = "0" * 40
_LEVELS = ("project", "stage", "service")
_SHIPYARD = "shipyard.yaml"


def answer(state: KeptnState, call: Call, path: str) -> Answer:
    """The answer to one request below ``/v1/project/``."""
    names, uri = _place(path)
    if "resource" not in path.split("/") or not names or len(names) > len(_LEVELS):
        return as_error(404, f"path {path} was not found")
    project = state.projects.get(names[0])
    if project is None:
        return as_error(404, "Project does not exist")
    problem = upstream_problem(state, project)
    if problem:
        return as_error(404 if project.upstream == "not-found" else 424, problem)
    if len(names) > 1 and names[1] not in project.stages:
        return as_error(404, "Stage does not exist")
    if len(names) > 2 and names[2] not in project.services:
        return as_error(404, "Service does not exist")
    stage, service = (*names[1:], "", "")[:2]
    place = (names[0], stage, service, uri)
    if call.method in ("POST", "PUT"):
        return _upload(state, call, place)
    if call.method == "DELETE":
        state.files.pop(place, None)
        return as_json(200, _version())
    return _read(state, project, place) if uri else _listed(state, place)


def _place(path: str) -> tuple[list[str], str]:
    """Names of project, stage and service, and the file; its slashes may be encoded or not."""
    parts = path.strip("/").split("/")
    if parts[:1] != ["v1"]:
        return [], ""
    names = []
    rest = parts[1:]
    for level in _LEVELS:
        if rest[:1] == [level] and len(rest) > 1:
            names.append(unquote(rest[1]))
            rest = rest[2:]
    return names, unquote("/".join(rest[1:]))


def _version() -> dict[str, Any]:
    return {"commitID": _COMMIT, "metadata": {"version": _COMMIT}}


def _upload(state: KeptnState, call: Call, place: Place) -> Answer:
    body = call.json()
    if not isinstance(body, dict):
        return as_error(400, "Invalid request format")
    found = body.get("resources") or [{"resourceURI": place[3], **body}]
    for resource in found:
        uri = str(resource.get("resourceURI") or "").strip("/")
        state.files[(*place[:3], uri)] = str(resource.get("resourceContent") or "")
    return as_json(201, _version())


def _read(state: KeptnState, project: ProjectSettings, place: Place) -> Answer:
    content = state.files.get(place)
    if content is None and place[1:] == ("", "", _SHIPYARD):
        content = base64.b64encode(shipyard_text(state, project).encode()).decode()
    if content is None and project.name in state.made_at:
        return as_error(404, "Resource not found")
    if content is None:
        content = "YQ==" * (project.resource_bytes // 3)
    return as_json(
        200,
        {"resourceContent": content, "resourceURI": place[3], "metadata": {"version": _COMMIT}},
    )


def _listed(state: KeptnState, place: Place) -> Answer:
    names = [p[3] for p in state.files if p[:3] == place[:3]]
    if not place[1]:
        names.insert(0, _SHIPYARD)
    return as_json(
        200,
        {
            "nextPageKey": "0",
            "totalCount": len(names),
            "resources": [{"resourceURI": name} for name in names],
        },
    )
