"""pods/proxy and services/proxy: an HTTP request carried into the pod network.

Only GET and HEAD. The name may carry scheme and port (``https:name:port``); TLS to the pod is not
spoken. A Service leads to a ready pod through its EndpointSlices or Endpoints, or, when there are
none in the cluster, through its selector.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from aiohttp import web

from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.objects import Object, dicts, dig, metadata, name_of, namespace_of
from keptn_doctor.lab.kube.status import ApiError, bad_request, method_not_allowed, unavailable
from keptn_doctor.model.base import Record

_SECONDS = 30.0
_BLOCK = 65_536
_NOT_FORWARDED = {"authorization", "connection", "upgrade", "host", "te", "accept-encoding"}
_NOT_RETURNED = {b"connection", b"transfer-encoding", b"content-length", b"keep-alive"}


class Backend(Record, frozen=True, kw_only=True):
    pod: str
    port: int
    address: str


async def proxy(call: Call) -> web.StreamResponse:
    if call.request.method not in {"GET", "HEAD"}:
        raise method_not_allowed()
    scheme, name, port = _split(call.target.name)
    if scheme == "https":
        raise bad_request("the lab does not speak TLS to pods")
    find = _pod_backend if call.resource.name == "pods" else _service_backend
    backend = find(call, name, port)
    where = f"{backend.address}:{backend.port}"
    try:
        async with asyncio.timeout(_SECONDS):
            return await _fetch(call, backend)
    except ConnectionRefusedError:
        raise _unreachable(f"dial tcp {where}: connect: connection refused") from None
    except TimeoutError:
        raise _unreachable(f"dial tcp {where}: i/o timeout") from None
    except OSError as error:
        raise _unreachable(f"dial tcp {where}: {error}") from None
    except h11.RemoteProtocolError as error:
        raise _unreachable(f"malformed HTTP response: {error}") from None


def _unreachable(why: str) -> ApiError:
    return unavailable(f"error trying to reach service: {why}")


def _split(text: str) -> tuple[str, str, str]:
    """``[scheme:]name[:port]``; the parts may be empty."""
    parts = text.split(":")
    if len(parts) == 1:
        return "", parts[0], ""
    if len(parts) == 2:
        return "", parts[0], parts[1]
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    raise bad_request(f'invalid pod request "{text}"')


def _pod_backend(call: Call, name: str, port: str) -> Backend:
    pod = call.cluster.peek(("", "pods"), call.namespace, name)
    if pod is None:
        raise _missing(call, name)
    number = _named_port(pod, port) if port else _first_port(pod)
    return Backend(pod=name, port=number, address=_address(pod))


def _missing(call: Call, name: str) -> ApiError:
    message = f'{call.resource.name} "{name}" not found'
    details = {"name": name, "kind": call.resource.name}
    return ApiError(404, "NotFound", message, details=details)


def _address(pod: Object) -> str:
    return str(dig(pod, "status", "podIP") or "")


def _ports(pod: Object) -> list[dict[str, Any]]:
    containers = dicts(dig(pod, "spec", "containers"))
    return [port for container in containers for port in dicts(container.get("ports"))]


def _first_port(pod: Object) -> int:
    ports = _ports(pod)
    return int(ports[0].get("containerPort", 80)) if ports else 80


def _named_port(pod: Object, port: str) -> int:
    if port.isascii() and port.isdigit():
        return int(port)
    for known in _ports(pod):
        if known.get("name") == port:
            return int(known["containerPort"])
    raise bad_request(f'no port "{port}" in pod "{name_of(pod)}"')


def _service_backend(call: Call, name: str, port: str) -> Backend:
    service = call.cluster.peek(("", "services"), call.namespace, name)
    if service is None:
        raise _missing(call, name)
    wanted = _service_port(service, port)
    if wanted is None:
        raise unavailable(f'no service port "{port}" found for service "{name}"')
    pods = _pods_behind(call, service)
    if not pods:
        raise unavailable(f'no endpoints available for service "{name}"')
    pod = pods[0]
    target = wanted.get("targetPort", wanted.get("port"))
    return Backend(pod=name_of(pod), port=_named_port(pod, str(target)), address=_address(pod))


def _service_port(service: Object, port: str) -> dict[str, Any] | None:
    ports = dicts(dig(service, "spec", "ports"))
    if not port:
        unnamed = [p for p in ports if not p.get("name")]
        usable = unnamed or (ports if len(ports) == 1 else [])
        return usable[0] if usable else None
    return next((p for p in ports if port in {p.get("name"), str(p.get("port"))}), None)


def _pods_behind(call: Call, service: Object) -> list[Object]:
    """Ready pods of a Service: by its published endpoints if there are any, else by selector."""
    pods = call.cluster.items(("", "pods"), namespace_of(service))
    published = _published(call, service)
    if published is not None:
        return [pod for pod in pods if name_of(pod) in published]
    selector = dig(service, "spec", "selector")
    if not isinstance(selector, dict) or not selector:
        return []
    return [pod for pod in pods if _ready(pod) and _selected(pod, selector)]


def _selected(pod: Object, selector: dict[str, Any]) -> bool:
    labels = metadata(pod).get("labels")
    return isinstance(labels, dict) and selector.items() <= labels.items()


def _ready(pod: Object) -> bool:
    conditions = dicts(dig(pod, "status", "conditions"))
    ready = [c.get("status") for c in conditions if c.get("type") == "Ready"]
    return dig(pod, "status", "phase") == "Running" and ready in ([], ["True"])


def _published(call: Call, service: Object) -> set[str] | None:
    namespace, name = namespace_of(service), name_of(service)
    slices = [
        s
        for s in call.cluster.items(("discovery.k8s.io", "endpointslices"), namespace)
        if dig(s, "metadata", "labels", "kubernetes.io/service-name") == name
    ]
    if slices:
        endpoints = [e for s in slices for e in dicts(s.get("endpoints"))]
        ready = [e for e in endpoints if dig(e, "conditions", "ready") is not False]
        return {str(dig(e, "targetRef", "name")) for e in ready}
    published = call.cluster.peek(("", "endpoints"), namespace, name)
    if published is None:
        return None
    subsets = dicts(published.get("subsets"))
    addresses = [a for s in subsets for a in dicts(s.get("addresses"))]
    return {str(dig(address, "targetRef", "name")) for address in addresses}


async def _fetch(call: Call, backend: Backend) -> web.StreamResponse:
    reader, writer = await call.pods.open_pod_ip(call.namespace, backend.pod, backend.port)
    try:
        connection = h11.Connection(h11.CLIENT)
        writer.write(_request_bytes(call, backend, connection))
        await writer.drain()
        return await _relay(call, connection, reader)
    finally:
        writer.close()


def _request_bytes(call: Call, backend: Backend, connection: h11.Connection) -> bytes:
    query = call.request.rel_url.raw_query_string
    path = f"/{call.target.rest}" + (f"?{query}" if query else "")
    headers = [("Host", f"{backend.address or backend.pod}:{backend.port}")]
    headers += [
        (name, value)
        for name, value in call.request.headers.items()
        if name.lower() not in _NOT_FORWARDED
    ]
    headers.append(("Connection", "close"))
    request = h11.Request(method=call.request.method, target=path, headers=headers)
    return (connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b"")


async def _relay(
    call: Call, connection: h11.Connection, reader: asyncio.StreamReader
) -> web.StreamResponse:
    response = web.StreamResponse()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_BLOCK))
        elif isinstance(event, h11.Response):
            response.set_status(event.status_code)
            for name, value in event.headers:
                if name.lower() not in _NOT_RETURNED:
                    response.headers.add(name.decode("ascii"), value.decode("latin-1"))
            await response.prepare(call.request)
        elif isinstance(event, h11.Data):
            await response.write(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            await response.write_eof()
            return response
