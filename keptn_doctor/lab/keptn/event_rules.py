"""What api-service does with a posted event, and what the event then sets off, per version.

Sources: ``api/handlers/event.go``, ``api/handlers/eventvalidation.go`` @1.4.5,
``shipyard-controller/handler/shipyardcontroller.go`` @0.9.2 (onTriggerSequenceFailed).
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from keptn_doctor.lab.keptn.state import NATS_DOWN, Event, KeptnState, context_of
from keptn_doctor.lab.network.exchange import Answer, Call, as_error, as_json

_MAX_VALIDATED = 64 * 1024
_FREE_TYPES = ("sh.keptn.log.error", "sh.keptn.events.problem")
_TASK_ACTIONS = ("started", "finished")
_SUFFIX = len("triggered")


def post(state: KeptnState, call: Call) -> Answer:
    """The answer to ``POST /v1/event``; a good event is stored and has its consequences."""
    body = call.json()
    if not isinstance(body, dict):
        return as_error(400, 'parsing body body from "" failed', code=601)
    for required in ("data", "source", "type"):
        if not body.get(required) and body.get(required) != {}:
            return as_error(422, f"{required} in body is required", code=602)
    if state.settings.event_validation and state.version >= (0, 19, 0):
        problem = _problem(body, size=len(call.body))
        if problem:
            return as_error(400, problem)
    if not state.nats_up():
        return as_error(500, NATS_DOWN)
    event = Event(
        id=str(uuid.uuid4()),
        type=str(body["type"]),
        source=str(body["source"]),
        time=call.at,
        context=context_of(body.get("shkeptncontext")),
        triggered_id=str(body.get("triggeredid") or ""),
        data=_data(body),
    )
    if not call.origin.rehearsal:
        _publish(state, event)
    return as_json(200, {"keptnContext": event.context})


def _data(body: dict[str, Any]) -> dict[str, Any]:
    data = body["data"]
    return data if isinstance(data, dict) else {}


def _problem(body: dict[str, Any], *, size: int) -> str:
    """What event validation objects to; "" when nothing."""
    if size > _MAX_VALIDATED:
        return "event size exceeds maximum of 64KB"
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


def _publish(state: KeptnState, event: Event) -> None:
    """NATS hands the event to mongodb-datastore and shipyard-controller, if they live."""
    down = {b.component for b in state.settings.backends if b.state != "up"}
    full = state.store_error(writing=True) is not None
    if (
        "mongodb-datastore" not in down
        and not full
        and not state.settings.store.unmapped_events_lost
    ):
        state.events.append(event)
    if "shipyard-controller" in down or full:
        return
    if event.type.endswith(".finished") and event.triggered_id:
        state.events = [
            replace(e, open=False) if e.id == event.triggered_id else e for e in state.events
        ]
    _start_sequence(state, event)


def _start_sequence(state: KeptnState, event: Event) -> None:
    """A sequence that cannot start answers with an errored ``.finished`` (0.9.1 and later)."""
    parts = event.type.split(".")
    if len(parts) != 6 or parts[5] != "triggered" or state.version < (0, 9, 1):
        return
    reason = "Unable to start sequence"
    if state.version < (0, 11, 0):
        reason = "could not start sequence"
    if event.project not in state.projects:
        reason = "Unable to retrieve Shipyard file"
    known = {s.name for s in state.settings.sequences if s.project == event.project}
    if parts[4] in known:
        return
    state.events.append(
        Event(
            id=str(uuid.uuid4()),
            type=event.type[:-_SUFFIX] + "finished",
            source="shipyard-controller",
            time=event.time,
            context=event.context,
            triggered_id=event.id,
            data={
                **event.data,
                "status": "errored",
                "result": "fail",
                "message": f"{reason} {parts[4]}: not found",
            },
        )
    )
