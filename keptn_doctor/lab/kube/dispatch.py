"""From an allowed request on a resource to the handler of its verb and subresource."""

from __future__ import annotations

from aiohttp import web

from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.logs import pod_log
from keptn_doctor.lab.kube.portforward import port_forward, requested_upgrade
from keptn_doctor.lab.kube.reads import get_object, list_objects
from keptn_doctor.lab.kube.status import method_not_allowed, no_such_resource


async def dispatch(call: Call) -> web.StreamResponse:
    if call.target.subresource:
        return await _subresource(call)
    if call.verb not in call.resource.verbs:
        raise method_not_allowed()
    if call.verb == "get":
        return get_object(call)
    if call.verb == "list":
        return list_objects(call)
    raise method_not_allowed()


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
    if where in {("pods", "exec"), ("pods", "attach")}:
        requested_upgrade(call)
        raise no_such_resource()
    if name == "status" and call.verb == "get":
        return get_object(call)
    raise no_such_resource()
