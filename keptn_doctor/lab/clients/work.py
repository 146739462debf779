"""What each Keptn service does with a task: which answers it sends, and what it reads before.

A service that lacks what it needs often says nothing at all: jmeter-service without a deployment
URI and job-executor-service without a job that matches send not even ``.started``.

Sources: ``helm-service/controller/*_handler.go @0.13.6``, ``jmeter-service/eventhandler.go`` and
``testrunner.go @0.13.6``, keptn-contrib/job-executor-service ``pkg/eventhandler/eventhandlers.go
@0.2.5``.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import yaml

from keptn_doctor.lab.clients.calls import Caller
from keptn_doctor.lab.clients.go_errors import GoError

_GOOD = {"status": "succeeded", "result": "pass"}
_JOB_CONFIG = "job/config.yaml"
_JMETER_CONFIG = "jmeter/jmeter.conf.yaml"
_STRATEGIES = frozenset({"direct", "blue_green_service", "duplicate", "user_managed"})
_HTTP_OK, _NOT_FOUND = 200, 404
_LOOPBACK = frozenset({"localhost", "127.0.0.1"})
_OWN_PORTS = {"distributor": (8081,), "sdk": (8080,)}  # beside the service's own
_SCOPE = ("project", "stage", "service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task event as a service sees it."""

    id: str
    type: str
    context: str
    data: dict[str, Any]

    @classmethod
    def of(cls, event: dict[str, Any]) -> Task:
        data = event.get("data")
        return cls(
            id=str(event.get("id") or ""),
            type=str(event.get("type") or ""),
            context=str(event.get("shkeptncontext") or ""),
            data=data if isinstance(data, dict) else {},
        )

    @property
    def name(self) -> str:
        """``test`` of ``sh.keptn.event.test.triggered``."""
        return self.type.removeprefix("sh.keptn.event.").removesuffix(".triggered")

    @property
    def scope(self) -> dict[str, Any]:
        """What every answer repeats."""
        keys = ("project", "stage", "service", "labels")
        return {key: self.data[key] for key in keys if self.data.get(key)}

    def part(self, name: str) -> dict[str, Any]:
        value = self.data.get(name)
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer; ``type`` is set when it is none of the task's own."""

    kind: str
    source: str
    data: dict[str, Any] = field(default_factory=dict)
    type: str = ""


async def work(caller: Caller, task: Task) -> AsyncIterator[Reply]:
    """The answers of a service, in their order."""
    match caller.settings.does:
        case "helm-service":
            replies = _helm(caller, task)
        case "jmeter-service":
            replies = _jmeter(caller, task)
        case "job-executor-service":
            replies = _jobs(caller, task)
        case _:
            replies = _simple(caller.settings.name)
    async for reply in replies:
        yield reply


async def _simple(source: str) -> AsyncIterator[Reply]:
    yield _started(source)
    yield _finished(source, {**_GOOD, "message": "done"})


def _started(source: str) -> Reply:
    return Reply(kind="started", source=source, data={"status": "succeeded", "result": ""})


def _finished(source: str, data: dict[str, Any]) -> Reply:
    return Reply(kind="finished", source=source, data=data)


def _errored(source: str, text: str) -> Reply:
    return _finished(source, {"status": "errored", "result": "fail", "message": text})


# --- helm-service


async def _helm(caller: Caller, task: Task) -> AsyncIterator[Reply]:
    source = "helm-service"
    match task.name:
        case "deployment":
            yield _started(source)
            yield await _deployed(caller, task, source)
        case "release":
            yield _started(source)
            strategy = str(task.part("deployment").get("deploymentstrategy") or "")
            if strategy in _STRATEGIES:
                yield _finished(source, {**_GOOD, "message": "Finished release"})
            else:
                yield _errored(source, f"The deployment strategy {strategy} is invalid")
        case "rollback":
            yield _started(source)
            yield _errored(source, "release: not found")
        case "action" if task.part("action").get("action") == "scaling":
            yield _started(source)
            yield await _deployed(caller, task, source)


async def _deployed(caller: Caller, task: Task, source: str) -> Reply:
    """A chart in the project's files would be installed; without one the task fails."""
    service = str(task.data.get("service") or "")
    chart, problem = await _file(caller, task, f"helm/{service}.tgz", levels=("service",))
    if chart is None:
        return _errored(source, f"failed to load chart: {problem or 'resource not found'}")
    uri = f"http://{service}.{task.data.get('project')}-{task.data.get('stage')}:80"
    deployment = {"deploymentURIsLocal": [uri], "deploymentNames": ["direct"]}
    return _finished(
        source, {**_GOOD, "message": "Successfully deployed", "deployment": deployment}
    )


# --- jmeter-service


async def _jmeter(caller: Caller, task: Task) -> AsyncIterator[Reply]:
    source = "jmeter-service"
    if task.name != "test" or task.part("test").get("teststrategy") == "real-user":
        return
    deployment = task.part("deployment")
    urls = deployment.get("deploymentURIsLocal") or deployment.get("deploymentURIsPublic") or []
    if not urls or not urls[0]:
        return  # "no deployment URI included in event": logged, and nothing sent
    _, problem = await _file(caller, task, _JMETER_CONFIG)
    if problem:
        return  # its error ends the run before .started
    yield _started(source)
    now = caller.place.clock().isoformat()
    times = {"test": {"start": now, "end": now}}
    unreachable = await _unreachable(caller, str(urls[0]))
    if unreachable:
        text = f"Jmeter-service cannot reach URL {task.data.get('service')}: {unreachable}"
        failed = {"status": "succeeded", "result": "fail", "message": text}
        yield _finished(source, {**failed, **times})
        return
    if not task.part("test").get("teststrategy"):
        return  # it looks for a workload of no name, and ends with a nil pointer
    # without a script there is nothing to run, which counts as a success
    yield _finished(source, {**_GOOD, "message": "Tests with status = true", **times})


async def _unreachable(caller: Caller, url: str) -> str:
    """Why a TCP connection from the pod fails; "" when it does not."""
    parts, place = urlsplit(url), caller.place
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if host in _LOOPBACK:
        own = {caller.settings.service.listens_on, *_OWN_PORTS.get(caller.rules.kind, ())}
        return "" if port in own else f"dial tcp {host}:{port}: connect: connection refused"
    try:
        address = (await place.resolver.addresses(host))[0]
        _, writer = await place.wire.open(
            place.vantage, address, port, service=place.service, sender=place.sender
        )
    except GoError as error:
        return f"dial tcp: {error.text}"
    except TimeoutError:
        return f"dial tcp {host}:{port}: i/o timeout"
    except OSError:
        return f"dial tcp {host}:{port}: connect: connection refused"
    writer.close()
    return ""


# --- job-executor-service


async def _jobs(caller: Caller, task: Task) -> AsyncIterator[Reply]:
    source = "job-executor-service"
    text, problem = await _file(caller, task, _JOB_CONFIG)
    actions = _matching(text or "", task.type)
    if text is None or actions is None:
        cause = problem or "unable to find job configuration" if text is None else "invalid yaml"
        yield Reply(
            kind="error",
            type="sh.keptn.log.error",
            source="shipyard-controller",
            data={
                "message": f"could not retrieve config for job-executor-service: {cause}",
                "task": task.name,
            },
        )
        return
    for action in actions:
        if action.get("silent") is True:
            continue
        names = [str(t.get("name")) for t in action.get("tasks") or () if isinstance(t, dict)]
        yield _started(source)
        done = "\n\n".join(f"Task '{name}' finished successfully!" for name in names)
        yield _finished(source, {**_GOOD, "message": done})


def _matching(text: str, event_type: str) -> list[dict[str, Any]] | None:
    """Actions of a job configuration that an event sets off; None when it is no configuration."""
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    if not isinstance(loaded, dict):
        return None
    actions = [a for a in loaded.get("actions") or () if isinstance(a, dict)]
    return [
        action
        for action in actions
        if any(
            isinstance(e, dict) and e.get("name") == event_type for e in action.get("events") or ()
        )
    ]


# --- files


async def _file(
    caller: Caller,
    task: Task,
    name: str,
    *,
    levels: tuple[str, ...] = ("service", "stage", "project"),
) -> tuple[str | None, str]:
    """A file of the task's service, else of its stage, else of its project; and what went wrong.

    A file that is nowhere is None without a problem.
    """
    project, stage, service = (quote(str(task.data.get(k) or "")) for k in _SCOPE)
    above = {
        "project": f"/v1/project/{project}",
        "stage": f"/v1/project/{project}/stage/{stage}",
        "service": f"/v1/project/{project}/stage/{stage}/service/{service}",
    }
    for level in levels:
        reply = await caller.read(f"{above[level]}/resource/{quote(name, safe='')}")
        if reply.status == _HTTP_OK:
            return _decoded(reply.body), ""
        if reply.status != _NOT_FOUND:
            return None, reply.text or f"error with status code {reply.status}"
    return None, ""


def _decoded(body: bytes) -> str:
    try:
        return base64.b64decode(str(json.loads(body).get("resourceContent") or "")).decode()
    except (ValueError, AttributeError, binascii.Error):
        return ""
