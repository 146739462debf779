"""pods/log: the checks of the API server and of the kubelet, then the text of the backend.

Messages: ``pkg/registry/core/pod/strategy.go`` (container choice, options) and the kubelet's
``validateContainerLogStatus``.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from aiohttp import web

from keptn_doctor.lab.kube.call import Call, integer
from keptn_doctor.lab.kube.negotiation import NO_CACHE
from keptn_doctor.lab.kube.objects import Object, dicts, dig, moment_of
from keptn_doctor.lab.kube.paths import is_true
from keptn_doctor.lab.kube.pods import LogOptions, containers_of
from keptn_doctor.lab.kube.status import ApiError, Cause, bad_request, internal, invalid

_PULL_FAILURES = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


async def pod_log(call: Call) -> web.StreamResponse:
    options = _options(call)
    pod = call.cluster.peek(call.resource.key, call.namespace, call.target.name)
    if pod is None:
        raise call.missing()
    container = choose_container(pod, call.target.name, call.query.get("container", ""))
    node = dig(pod, "spec", "nodeName")
    if not node:
        return web.Response(status=204, headers={"Cache-Control": NO_CACHE})
    _check_status(pod, container, call.target.name, previous=options.previous)
    text = await _read(call, pod, container, options)
    if text is None:
        raise _no_log(call.target.name)
    response = web.Response(body=text.encode(), headers={"Cache-Control": NO_CACHE})
    response.headers["Content-Type"] = "text/plain"
    return response


def _options(call: Call) -> LogOptions:
    numbers: dict[str, int | None] = {}
    causes = []
    for field, least in (("sinceSeconds", 1), ("tailLines", 0), ("limitBytes", 1)):
        text = call.query.get(field)
        number = integer(text) if text else None
        numbers[field] = number
        if number is not None and number < least:
            rule = f"must be greater than {'0' if least else 'or equal to 0'}"
            message = f"Invalid value: {number}: {rule}"
            causes.append(Cause(reason="FieldValueInvalid", message=message, field=field))
    since_time = call.query.get("sinceTime")
    if since_time and numbers["sinceSeconds"] is not None:
        message = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(Cause(reason="FieldValueForbidden", message=message, field="sinceTime"))
    if causes:
        raise invalid("PodLogOptions", "", call.target.name, causes)
    return LogOptions(
        previous=is_true(call.query.get("previous")),
        since_seconds=_seconds_since(call, since_time) if since_time else numbers["sinceSeconds"],
        tail_lines=numbers["tailLines"],
        limit_bytes=numbers["limitBytes"],
        timestamps=is_true(call.query.get("timestamps")),
    )


def _seconds_since(call: Call, text: str) -> int:
    then = moment_of(text)
    if then is None:
        raise bad_request(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse')
    return max(1, ceil((call.cluster.now() - then).total_seconds()))


def choose_container(pod: Object, name: str, wanted: str) -> str:
    """The container meant; raises the API server's 400 when the choice is open or wrong."""
    containers, initial = containers_of(pod)
    if wanted:
        if wanted not in (*containers, *initial):
            raise bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(containers) == 1:
        return containers[0]
    if not containers:
        raise bad_request(f"a container name must be specified for pod {name}")
    message = (
        f"a container name must be specified for pod {name}, choose one of: "
        f"[{' '.join(containers)}]"
    )
    if initial:
        message += f" or one of the init containers: [{' '.join(initial)}]"
    raise bad_request(message)


def _check_status(pod: Object, container: str, name: str, *, previous: bool) -> None:
    """What the kubelet refuses, as far as the pod's status tells; without one it decides alone."""
    status = _container_status(pod, container)
    if status is None:
        return
    about = f'container "{container}" in pod "{name}"'
    last = dig(status, "lastState", "terminated")
    if previous:
        if not isinstance(last, dict):
            raise bad_request(f"previous terminated {about} not found")
        return
    state = status.get("state")
    waiting = dig(state, "waiting")
    if dig(state, "running") is not None or dig(state, "terminated") is not None or last:
        return
    if isinstance(waiting, dict):
        reason = str(waiting.get("reason") or "")
        reason = _PULL_FAILURES.get(reason, reason)
        raise bad_request(f"{about} is waiting to start: {reason}")
    raise bad_request(f"{about} is waiting to start - no logs yet")


def _container_status(pod: Object, container: str) -> dict[str, Any] | None:
    for field in ("containerStatuses", "initContainerStatuses"):
        for status in dicts(dig(pod, "status", field)):
            if status.get("name") == container:
                return status
    return None


async def _read(call: Call, pod: Object, container: str, options: LogOptions) -> str | None:
    try:
        return await call.pods.logs(call.namespace, call.target.name, container, options)
    except OSError as error:
        address = _node_address(call, str(dig(pod, "spec", "nodeName")))
        path = f"containerLogs/{call.namespace}/{call.target.name}/{container}"
        why = str(error) or "connect: connection refused"
        message = f'Get "https://{address}:10250/{path}": dial tcp {address}:10250: {why}'
        raise internal(message) from error


def _node_address(call: Call, node: str) -> str:
    found = call.cluster.peek(("", "nodes"), "", node)
    addresses = dicts(dig(found, "status", "addresses"))
    internal_ip = [a.get("address") for a in addresses if a.get("type") == "InternalIP"]
    return str(internal_ip[0]) if internal_ip else node


def _no_log(name: str) -> ApiError:
    return ApiError(
        404,
        "NotFound",
        f"the server could not find the requested resource ( pods/log {name})",
        details={"name": name, "kind": "pods/log"},
    )
