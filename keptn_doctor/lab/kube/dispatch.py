"""From an allowed request on a resource to the handler of its verb and subresource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.logs import pod_log
from keptn_doctor.lab.kube.portforward import port_forward, requested_upgrade
from keptn_doctor.lab.kube.proxies import proxy
from keptn_doctor.lab.kube.reads import get_object, list_objects
from keptn_doctor.lab.kube.reviews import review
from keptn_doctor.lab.kube.scale import scale
from keptn_doctor.lab.kube.status import method_not_allowed, no_such_resource
from keptn_doctor.lab.kube.tokens import create_token
from keptn_doctor.lab.kube.watch import watch_objects
from keptn_doctor.lab.kube.writes import create, delete, delete_collection, patch, update

_WRITES: dict[str, Callable[[Call], Awaitable[web.StreamResponse]]] = {
    "watch": watch_objects,
    "create": create,
    "update": update,
    "patch": patch,
    "delete": delete,
    "deletecollection": delete_collection,
}
_REVIEW_GROUPS = {"authorization.k8s.io", "authentication.k8s.io"}


async def dispatch(call: Call) -> web.StreamResponse:
    if call.target.subresource:
        return await _subresource(call)
    across = call.resource.namespaced and not call.target.namespace
    if call.verb not in call.resource.verbs or (across and call.verb not in {"list", "watch"}):
        raise method_not_allowed()
    if call.resource.group in _REVIEW_GROUPS:
        return await review(call)
    if call.verb == "get":
        return get_object(call)
    if call.verb == "list":
        return list_objects(call)
    return await _WRITES[call.verb](call)


async def _subresource(call: Call) -> web.StreamResponse:
    name = call.target.subresource
    known = next((s for s in call.resource.subresources if s.name == name), None)
    if known is None:
        raise no_such_resource()
    if call.verb not in known.verbs:
        raise method_not_allowed()
    where = (call.resource.name, name)
    if where == ("pods", "log"):
        return await pod_log(call)
    if where == ("pods", "portforward"):
        return await port_forward(call)
    if name == "proxy" and call.resource.name in {"pods", "services"}:
        return await proxy(call)
    if where in {("pods", "exec"), ("pods", "attach")}:
        requested_upgrade(call)
    if where == ("serviceaccounts", "token"):
        return await create_token(call)
    if name == "scale":
        return await scale(call)
    if name == "status":
        return get_object(call) if call.verb == "get" else await _WRITES[call.verb](call)
    raise no_such_resource()
