"""What api-service does with a posted event: what it takes, what it changes, what it refuses.

Sources: ``api/handlers/event.go``, ``api/handlers/eventvalidation.go`` @1.4.5.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from keptn_doctor.lab.keptn.events import Event, context_of, new_id
from keptn_doctor.lab.keptn.messaging import publish
from keptn_doctor.lab.keptn.state import NATS_DOWN, KeptnState
from keptn_doctor.lab.network.exchange import Answer, Call, as_error, as_json

_FREE_TYPES = ("sh.keptn.log.error", "sh.keptn.events.problem")
_TASK_ACTIONS = ("started", "finished")


def post(state: KeptnState, call: Call) -> Answer:
    """The answer to ``POST /v1/event``; a good event goes to NATS."""
    body = call.json()
    if not isinstance(body, dict):
        return as_error(400, 'parsing body body from "" failed', code=601)
    for required in ("data", "source", "type"):
        if not body.get(required) and body.get(required) != {}:
            return as_error(422, f"{required} in body is required", code=602)
    if state.settings.event_validation and state.version >= (0, 19, 0):
        limit_kb = state.settings.delivery.max_event_size_kb
        problem = f"event size exceeds maximum of {limit_kb}KB"
        if len(call.body) <= limit_kb * 1024:
            problem = _problem(body)
        if problem:
            state.refusals.append((call.at, problem))
            return as_error(400, problem)
    if not state.nats_up():
        return as_error(500, NATS_DOWN)
    event = Event(
        id=new_id(),
        type=str(body["type"]),
        source=str(body["source"]),
        time=call.at + timedelta(seconds=state.settings.delivery.clock_ahead_s),
        context=context_of(body.get("shkeptncontext")),
        triggered_id=str(body.get("triggeredid") or ""),
        data=_data(body),
    )
    if not call.origin.rehearsal:
        publish(state, event)
    return as_json(200, {"keptnContext": event.context})


def _data(body: dict[str, Any]) -> dict[str, Any]:
    data = body["data"]
    return data if isinstance(data, dict) else {}


def _problem(body: dict[str, Any]) -> str:
    """What event validation objects to; "" when nothing."""
    kind = str(body["type"])
    if kind in _FREE_TYPES:
        return ""
    data = _data(body)
    if kind == "sh.keptn.event.monitoring.configure":
        missing = [key for key in ("project", "type") if not data.get(key)]
        return f"{missing[0]} must be set" if missing else ""
    parts = kind.split(".")
    if len(parts) == 6 and parts[:3] == ["sh", "keptn", "event"]:
        return _sequence_problem(parts, data)
    if len(parts) == 5 and parts[:3] == ["sh", "keptn", "event"]:
        return _task_problem(parts[4], body, data)
    return "unknown event type"


def _sequence_problem(parts: list[str], data: dict[str, Any]) -> str:
    if parts[5] != "triggered":
        return f"unknown event type action: {parts[5]}"
    missing = [key for key in ("project", "stage", "service") if not data.get(key)]
    if missing:
        return f"{missing[0]} must be set"
    return "" if data["stage"] == parts[3] else "stage does not match event type"


def _task_problem(action: str, body: dict[str, Any], data: dict[str, Any]) -> str:
    if action == "invalidated":
        return ""
    if action not in _TASK_ACTIONS:
        return f"unknown event type action: {action}"
    needed = ["project", "stage", "service"]
    if action == "finished":
        needed += ["result", "status"]
    missing = [key for key in needed if not data.get(key)]
    if not body.get("triggeredid"):
        missing.append("triggeredid")
    return f"{missing[0]} must be set" if missing else ""
