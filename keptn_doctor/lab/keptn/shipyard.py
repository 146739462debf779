"""The shipyard-controller of the lab: uniform, open events, projects, sequences, error logs.

Answers of ``shipyard-controller/controller/*.go`` and ``internal/routing/*.go``, by version. Paths
come without the gateway's ``/api/controlPlane``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from keptn_doctor.lab.keptn import projects
from keptn_doctor.lab.keptn.registrations import (
    IncompleteIdentityError,
    Registration,
    iso_ms,
    shown_subscription,
)
from keptn_doctor.lab.keptn.state import KeptnState
from keptn_doctor.lab.network.exchange import Answer, Call, as_error, as_json, as_text
from keptn_doctor.lab.settings import SequenceSettings, SubscriptionSettings

Route = tuple[str, re.Pattern[str], Callable[..., Answer]]

_NO_ROUTE = as_text(404, "404 page not found")
_PAGE = 20
_INCOMPLETE = "incomplete integration ID. At least 'name','namespace' and 'nodename' must be set"
_MOST_ERROR_LOGS = 1000


async def answer(state: KeptnState, call: Call, path: str) -> Answer:
    """The answer to one request; ``path`` begins with ``/v1`` or is ``/health``."""
    if path == "/health" and state.version >= (0, 8, 4):
        return Answer(status=200)
    for method, pattern, handler in _ROUTES:
        found = pattern.fullmatch(path)
        if found is None or method != call.method:
            continue
        if not _exists(state, path):
            return _NO_ROUTE
        broken = state.store_error(writing=method != "GET")
        if broken is not None:
            return broken
        return handler(state, call, *(unquote(part) for part in found.groups()))
    return _NO_ROUTE


def _exists(state: KeptnState, path: str) -> bool:
    """Whether this version has the route (see the reference of each in the table below)."""
    if path.startswith(("/v1/uniform", "/v1/log", "/v1/sequence/")) and state.version < (0, 8, 4):
        return False
    later = path.endswith("/ping") or "/subscription" in path
    if later and state.version < (0, 9, 0):
        return False
    return not (path.startswith("/v1/sequence-execution") and state.version < (0, 18, 0))


# --- uniform


def _list(state: KeptnState, call: Call) -> Answer:
    query = call.query
    wanted = {key: query[key] for key in ("id", "name") if query.get(key)}
    if state.version >= (0, 16, 0):
        wanted |= {key: query[key] for key in ("namespace", "hostname") if query.get(key)}
    shown = []
    uniform = state.uniform
    found = uniform.named(wanted["name"], call.at) if "name" in wanted else uniform.alive(call.at)
    for record in found:
        values = {
            "id": record.id,
            "name": record.name,
            "namespace": record.namespace,
            "hostname": record.node,
        }
        if all(values[key] == value for key, value in wanted.items()):
            shown.append(uniform.shown(record, call.at))
    return as_json(200, shown)


def _register(state: KeptnState, call: Call) -> Answer:
    body = call.json()
    if not isinstance(body, dict):
        return as_error(400, "Invalid request format")
    wanted = registration_of(body, at=call.at)
    try:
        record, new = state.uniform.register(wanted, call.at, rehearsal=call.origin.rehearsal)
    except IncompleteIdentityError:
        return as_error(400, _INCOMPLETE)
    status = 201 if new and state.version >= (0, 9, 0) else 200
    return as_json(status, {"id": record.id})


def registration_of(body: dict[str, Any], *, at: datetime) -> Registration:
    """The record that a registration's body asks for."""
    metadata = body.get("metadata") or {}
    kube = metadata.get("kubernetesmetadata") or {}
    old = body.get("subscription") or {}
    filters = old.get("filter") or {}
    return Registration(
        id="",
        name=str(body.get("name") or ""),
        namespace=str(kube.get("namespace") or ""),
        node=str(metadata.get("hostname") or ""),
        pod=str(kube.get("podname") or ""),
        deployment=str(kube.get("deploymentname") or ""),
        location=str(metadata.get("location") or ""),
        integration_version=str(metadata.get("integrationversion") or ""),
        distributor_version=str(metadata.get("distributorversion") or ""),
        subscriptions=tuple(_subscription(s) for s in body.get("subscriptions") or ()),
        created=at,
        touched=at,
        topics=tuple(old.get("topics") or ()),
        filters=(
            str(filters.get("project") or ""),
            str(filters.get("stage") or ""),
            str(filters.get("service") or ""),
        ),
    )


def _subscription(body: dict[str, Any]) -> SubscriptionSettings:
    filters = body.get("filter") or {}
    return SubscriptionSettings(
        event=str(body.get("event") or ""),
        id=str(body.get("id") or ""),
        projects=tuple(filters.get("projects") or ()),
        stages=tuple(filters.get("stages") or ()),
        services=tuple(filters.get("services") or ()),
    )


def _unregister(state: KeptnState, _call: Call, record_id: str) -> Answer:
    state.uniform.delete(record_id)
    return as_json(200, {})


def _ping(state: KeptnState, call: Call, record_id: str) -> Answer:
    record = state.uniform.ping(record_id, call.at, rehearsal=call.origin.rehearsal)
    if record is None:
        return as_error(404, "uniform integration not found")
    return as_json(200, state.uniform.shown(record, call.at))


def _subscriptions(state: KeptnState, call: Call, record_id: str) -> Answer:
    record = state.uniform.get(record_id, call.at)
    if record is None:
        return as_error(404, "uniform integration not found")
    return as_json(200, [shown_subscription(s) for s in record.subscriptions])


# --- events


def _triggered(state: KeptnState, call: Call, event_type: str) -> Answer:
    query = call.query
    project = query.get("project", "")
    known = project in state.projects
    if project and not known and state.version >= (0, 9, 1):
        return as_error(404, "project not found")
    found = state.controller.polled(event_type, call.at)
    events = [e for e in found if e.project in state.projects]
    for key in ("project", "stage", "service"):
        if query.get(key):
            events = [e for e in events if e.data.get(key) == query[key]]
    if query.get("eventID"):
        events = [e for e in events if e.id == query["eventID"]]
    if project and not events and state.version <= (0, 9, 0):
        return as_error(500, "no matching event found")
    return _paged("events", [e.shown() for e in events], call)


def _paged(key: str, items: list[dict[str, Any]], call: Call) -> Answer:
    size = _number(call.query.get("pageSize"), _PAGE)
    start = _number(call.query.get("nextPageKey"), 0)
    end = start + size
    following = str(end) if end < len(items) else "0"
    return as_json(
        200,
        {
            key: items[start:end],
            "nextPageKey": following,
            "pageSize": len(items[start:end]),
            "totalCount": len(items),
        },
    )


def _number(text: str | None, default: int) -> int:
    try:
        return max(int(text or default), 0)
    except ValueError:
        return default


# --- projects, sequences, logs


def _projects(state: KeptnState, call: Call) -> Answer:
    return _paged("projects", [projects.shown(state, p) for p in state.projects.values()], call)


def _project(state: KeptnState, _call: Call, name: str) -> Answer:
    project = state.projects.get(name)
    if project is None:
        return as_error(404, f"project {name} not found")
    return as_json(200, projects.shown(state, project))


def _stage_list(state: KeptnState, call: Call, name: str) -> Answer:
    project = state.projects.get(name)
    if project is None:
        return as_error(404, f"project {name} not found")
    return _paged("stages", projects.shown(state, project)["stages"], call)


def _shown_sequence(state: KeptnState, sequence: SequenceSettings) -> dict[str, Any]:
    time = iso_ms(state.started - timedelta(seconds=sequence.ago_s))
    context = sequence.context or f"00000000-0000-4000-8000-{int(sequence.ago_s):012d}"
    latest = {"type": sequence.latest_event, "id": context, "time": time}
    return {
        "name": sequence.name,
        "service": sequence.service,
        "project": sequence.project,
        "time": time,
        "shkeptncontext": context,
        "state": sequence.state,
        "stages": [{"name": sequence.stage, "state": sequence.state, "latestEvent": latest}],
    }


def _sequences(state: KeptnState, call: Call, project: str) -> Answer:
    shown = _of_project(state, project)
    for key in ("name", "state"):
        if call.query.get(key):
            shown = [s for s in shown if s[key] == call.query[key]]
    if call.query.get("keptnContext"):
        shown = [s for s in shown if s["shkeptncontext"] == call.query["keptnContext"]]
    return as_json(200, {"states": shown, "totalCount": len(shown)})


def _of_project(state: KeptnState, project: str) -> list[dict[str, Any]]:
    """Sequences of this lab's own time, newest first, then those of earlier days."""
    past = [_shown_sequence(state, s) for s in state.settings.sequences if s.project == project]
    return [*state.controller.states.of(project), *past]


def _executions(state: KeptnState, call: Call) -> Answer:
    project = call.query.get("project", "")
    if not project:
        return as_error(400, "project must be set")
    found = _of_project(state, project)
    return as_json(200, {"sequenceExecutions": found, "totalCount": len(found)})


def _logs(state: KeptnState, call: Call) -> Answer:
    wanted = call.query.get("integrationId", "")
    found = [x for x in state.error_logs if not wanted or x.get("integrationid") == wanted]
    found.sort(key=lambda x: str(x.get("time")), reverse=True)
    size = _number(call.query.get("pageSize"), len(found)) or len(found)
    start = _number(call.query.get("nextPageKey"), 0)
    end = start + size
    shown: dict[str, Any] = {"logs": found[start:end], "totalCount": len(found)}
    if end < len(found):
        shown["nextPageKey"] = end
    return as_json(200, shown)


def _add_logs(state: KeptnState, call: Call) -> Answer:
    body = call.json()
    entries = body.get("logs") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        return as_error(400, "Invalid request format")
    state.error_logs.extend(
        {"time": iso_ms(call.at), **entry} for entry in entries if isinstance(entry, dict)
    )
    del state.error_logs[:-_MOST_ERROR_LOGS]
    return as_json(200, {})


def _path(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("{}", "([^/]+)"))


_ROUTES: tuple[Route, ...] = (
    ("GET", _path("/v1/uniform/registration"), _list),
    ("POST", _path("/v1/uniform/registration"), _register),
    ("DELETE", _path("/v1/uniform/registration/{}"), _unregister),
    ("PUT", _path("/v1/uniform/registration/{}/ping"), _ping),
    ("GET", _path("/v1/uniform/registration/{}/subscription"), _subscriptions),
    ("GET", _path("/v1/event/triggered/{}"), _triggered),
    ("GET", _path("/v1/project"), _projects),
    ("POST", _path("/v1/project"), projects.create),
    ("GET", _path("/v1/project/{}"), _project),
    ("DELETE", _path("/v1/project/{}"), projects.delete),
    ("GET", _path("/v1/project/{}/stage"), _stage_list),
    ("POST", _path("/v1/project/{}/service"), projects.create_service),
    ("GET", _path("/v1/sequence/{}"), _sequences),
    ("GET", _path("/v1/sequence-execution"), _executions),
    ("GET", _path("/v1/log"), _logs),
    ("POST", _path("/v1/log"), _add_logs),
)
