"""The tables of Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs and CronJobs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from keptn_doctor.lab.kube.ages import age, human_duration
from keptn_doctor.lab.kube.columns import (
    AGE,
    NAME,
    Column,
    column,
    joined,
    labels_text,
    number,
    text,
)
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.objects import Object, dicts, dig, moment_of


def _containers(field: str, *template: str) -> Callable[[Object], str]:
    path = (*template, "spec", "containers")
    return lambda obj: joined([c.get(field) for c in dicts(dig(obj, *path))])


def _selector(obj: Object) -> str:
    selector = dig(obj, "spec", "selector")
    if not isinstance(selector, dict):
        return "<none>"
    labels = selector.get("matchLabels", {} if "matchExpressions" in selector else selector)
    parts = [] if not labels else [labels_text(labels)]
    for term in dicts(selector.get("matchExpressions")):
        values = term.get("values")
        listed = f" ({','.join(map(str, values))})" if isinstance(values, list) else ""
        parts.append(f"{term.get('key')} {str(term.get('operator')).lower()}{listed}")
    return ",".join(parts) or "<none>"


def _wide(*template: str, selector: bool = True) -> tuple[Column, ...]:
    where = template or ("spec", "template")
    shown = (
        column("Containers", _containers("name", *where), wide=True),
        column("Images", _containers("image", *where), wide=True),
    )
    return (*shown, column("Selector", _selector, wide=True)) if selector else shown


def _of(ready: str, obj: Object) -> str:
    desired = dig(obj, "spec", "replicas")
    return f"{dig(obj, 'status', ready) or 0}/{1 if desired is None else desired}"


DEPLOYMENT = (
    NAME,
    column("Ready", lambda obj: _of("readyReplicas", obj)),
    number("Up-to-date", "status", "updatedReplicas"),
    number("Available", "status", "availableReplicas"),
    AGE,
    *_wide(),
)
REPLICA_SET = (
    NAME,
    number("Desired", "spec", "replicas"),
    number("Current", "status", "replicas"),
    number("Ready", "status", "readyReplicas"),
    AGE,
    *_wide(),
)
STATEFUL_SET = (
    NAME,
    column("Ready", lambda obj: _of("readyReplicas", obj)),
    AGE,
    *_wide(selector=False),
)
DAEMON_SET = (
    NAME,
    number("Desired", "status", "desiredNumberScheduled"),
    number("Current", "status", "currentNumberScheduled"),
    number("Ready", "status", "numberReady"),
    number("Up-to-date", "status", "updatedNumberScheduled"),
    number("Available", "status", "numberAvailable"),
    column(
        "Node Selector",
        lambda obj: labels_text(dig(obj, "spec", "template", "spec", "nodeSelector")),
    ),
    AGE,
    *_wide(),
)


def _completions(job: Object) -> str:
    wanted = dig(job, "spec", "completions")
    return f"{dig(job, 'status', 'succeeded') or 0}/{1 if wanted is None else wanted}"


def _duration(job: Object, now: datetime) -> str:
    start = moment_of(dig(job, "status", "startTime"))
    if start is None:
        return ""
    return human_duration((moment_of(dig(job, "status", "completionTime")) or now) - start)


def _job_status(job: Object) -> str:
    conditions = dicts(dig(job, "status", "conditions"))
    holding = {c.get("type") for c in conditions if c.get("status") == "True"}
    for condition, shown in (
        ("Complete", "Complete"),
        ("Failed", "Failed"),
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet"),
    ):
        if condition in holding:
            return shown
    return "Running"


def job_columns(generation: Generation) -> tuple[Column, ...]:
    status = (column("Status", _job_status),) if generation.minor >= 31 else ()
    return (
        NAME,
        *status,
        column("Completions", _completions),
        Column(name="Duration", read=_duration),
        AGE,
        *_wide(),
    )


def _last_schedule(job: Object, now: datetime) -> str:
    last: Any = dig(job, "status", "lastScheduleTime")
    return age(last, now) if last else "<none>"


def cron_job_columns(generation: Generation) -> tuple[Column, ...]:
    zone = (text("Timezone", "spec", "timeZone", missing="<none>"),)
    return (
        NAME,
        text("Schedule", "spec", "schedule"),
        *(zone if generation.minor >= 29 else ()),
        column("Suspend", lambda obj: str(bool(dig(obj, "spec", "suspend")))),
        column("Active", lambda obj: len(dicts(dig(obj, "status", "active")))),
        Column(name="Last Schedule", read=_last_schedule),
        AGE,
        *_wide("spec", "jobTemplate", "spec", "template"),
    )
