"""The table of pods: ``printPod`` of ``pkg/printers/internalversion/printers.go``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from keptn_doctor.lab.kube.ages import human_duration
from keptn_doctor.lab.kube.columns import AGE, NAME, Column, column, text
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.objects import Object, dicts, dig, metadata, moment_of


def _statuses(pod: Object, field: str = "containerStatuses") -> list[dict[str, Any]]:
    return dicts(dig(pod, "status", field))


def _ready(pod: Object) -> str:
    total = len(dicts(dig(pod, "spec", "containers")))
    ready = [s for s in _statuses(pod) if s.get("ready") and dig(s, "state", "running") is not None]
    return f"{len(ready)}/{total}"


def _ended(terminated: dict[str, Any]) -> str:
    reason = terminated.get("reason")
    if reason:
        return str(reason)
    signal = terminated.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{terminated.get('exitCode', 0)}"


def _initializing(pod: Object) -> str:
    """What the first unfinished init container is doing; '' when all are done."""
    total = len(dicts(dig(pod, "spec", "initContainers")))
    for index, status in enumerate(_statuses(pod, "initContainerStatuses")):
        terminated, waiting = dig(status, "state", "terminated"), dig(status, "state", "waiting")
        if isinstance(terminated, dict):
            if terminated.get("exitCode", 0) == 0:
                continue
            return f"Init:{_ended(terminated)}"
        reason = dig(waiting, "reason")
        if reason and reason != "PodInitializing":
            return f"Init:{reason}"
        return f"Init:{index}/{total}"
    return ""


def pod_state(pod: Object) -> str:
    """The STATUS column."""
    state = _initializing(pod) or _running_state(pod)
    if metadata(pod).get("deletionTimestamp"):
        return "Unknown" if dig(pod, "status", "reason") == "NodeLost" else "Terminating"
    return state


def _running_state(pod: Object) -> str:
    state = str(dig(pod, "status", "reason") or dig(pod, "status", "phase") or "")
    running = False
    for status in reversed(_statuses(pod)):
        reason = dig(status, "state", "waiting", "reason")
        terminated = dig(status, "state", "terminated")
        if reason:
            state = str(reason)
        elif isinstance(terminated, dict):
            state = _ended(terminated)
        elif status.get("ready") and dig(status, "state", "running") is not None:
            running = True
    if state == "Completed" and running:
        conditions = dicts(dig(pod, "status", "conditions"))
        ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
        return "Running" if ready else "NotReady"
    return state


def _counted(pod: Object) -> list[dict[str, Any]]:
    field = "initContainerStatuses" if _initializing(pod) else "containerStatuses"
    return _statuses(pod, field)


def _restarts(pod: Object) -> int:
    counts = [status.get("restartCount") for status in _counted(pod)]
    return sum(count for count in counts if isinstance(count, int))


def _restarts_text(pod: Object, now: datetime) -> str:
    ends = [
        moment_of(dig(status, "lastState", "terminated", "finishedAt")) for status in _counted(pod)
    ]
    latest = max((end for end in ends if end is not None), default=None)
    count = str(_restarts(pod))
    return count if latest is None else f"{count} ({human_duration(now - latest)} ago)"


def _gates(pod: Object) -> str:
    gates = dicts(dig(pod, "spec", "readinessGates"))
    if not gates:
        return "<none>"
    conditions = {c.get("type"): c.get("status") for c in dicts(dig(pod, "status", "conditions"))}
    true = [gate for gate in gates if conditions.get(gate.get("conditionType")) == "True"]
    return f"{len(true)}/{len(gates)}"


def pod_columns(generation: Generation) -> tuple[Column, ...]:
    if generation.restarts_say_when:
        restarts = Column(name="Restarts", read=_restarts_text)
    else:
        restarts = Column(name="Restarts", read=lambda p, _now: _restarts(p), type="integer")
    return (
        NAME,
        column("Ready", _ready),
        column("Status", pod_state),
        restarts,
        AGE,
        text("IP", "status", "podIP", missing="<none>", wide=True),
        text("Node", "spec", "nodeName", missing="<none>", wide=True),
        text("Nominated Node", "status", "nominatedNodeName", missing="<none>", wide=True),
        column("Readiness Gates", _gates, wide=True),
    )
