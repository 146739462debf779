"""The tasks that Keptn's own services do beside it: approval, evaluation, get-action.

They hear of a task through NATS and answer the same way. Of a project without SLOs or remediations,
which is all that the lab has, they say what is said here.

Sources: ``approval-service/pkg/handler/approval_triggered_handler.go``,
``lighthouse-service/event_handler/start_evaluation_handler.go``,
``remediation-service/handler/getactiontriggeredhandler.go`` @0.16.2.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from keptn_doctor.lab.keptn.events import Event, new_id
from keptn_doctor.lab.keptn.messaging import publish
from keptn_doctor.lab.keptn.state import KeptnState

_SERVICES = {
    "approval": "approval-service",
    "evaluation": "lighthouse-service",
    "get-action": "remediation-service",
}
_NO_SLO = (
    "no evaluation performed by lighthouse because no SLO file configured for project {project}"
)


@dataclass(frozen=True, slots=True)
class OwnTasks:
    """Keptn's own services as listeners behind NATS."""

    state: KeptnState

    def hear(self, event: Event) -> None:
        """Answer a task of theirs, after whoever is at work with the event has done with it."""
        if event.kind != "triggered" or len(event.parts) != 1:
            return
        service = _SERVICES.get(event.parts[0], "")
        if service and service not in self.state.settings.silent_services:
            loop = asyncio.get_running_loop()
            self.state.timers.append(loop.call_later(0.0, self._answer, service, event))

    def _answer(self, service: str, event: Event) -> None:
        self._send(service, event, "started", {"status": "succeeded", "result": ""})
        data = _result(event)
        if data:
            self._send(service, event, "finished", data)

    def _send(self, service: str, event: Event, kind: str, data: dict[str, Any]) -> None:
        scope = {key: event.data[key] for key in ("project", "stage", "service", "labels")
                 if event.data.get(key)}  # fmt: skip
        publish(
            self.state,
            Event(
                id=new_id(),
                type=event.type.removesuffix("triggered") + kind,
                source=service,
                time=self.state.controller.clock(),
                context=event.context,
                triggered_id=event.id,
                data={**scope, **data},
            ),
        )


def _result(event: Event) -> dict[str, Any]:
    """What ``.finished`` says; {} while somebody has to approve by hand."""
    match event.parts[0]:
        case "approval":
            strategies = event.data.get("approval")
            wanted = strategies if isinstance(strategies, dict) else {}
            result = str(event.data.get("result") or "pass")
            automatic = wanted.get(result) == "automatic"
            return {"status": "succeeded", "result": "pass"} if automatic else {}
        case "evaluation":
            text = _NO_SLO.format(project=event.project)
            return {"status": "succeeded", "result": "pass", "message": text}
        case _:
            text = "could not retrieve remediation.yaml: resource not found"
            return {"status": "errored", "result": "fail", "message": text}
