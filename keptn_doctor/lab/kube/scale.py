"""The scale subresource of Deployments, ReplicaSets and StatefulSets: read and set replicas."""

from __future__ import annotations

import json

from aiohttp import web

from keptn_doctor.lab.kube.bodies import decode, media_type, read_bytes
from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.columns import labels_text
from keptn_doctor.lab.kube.negotiation import answer, negotiate
from keptn_doctor.lab.kube.objects import Object, dig, metadata
from keptn_doctor.lab.kube.patches import merge_patch
from keptn_doctor.lab.kube.status import bad_request, conflict, unsupported_media_type


async def scale(call: Call) -> web.Response:
    media = negotiate(call.accept, call.cluster.generation).media
    found = call.cluster.peek(call.resource.key, call.namespace, call.target.name)
    if found is None:
        raise call.missing()
    if call.verb != "get":
        wanted = await _wanted(call, found)
        version = metadata(wanted).get("resourceVersion")
        if version not in {None, "", metadata(found).get("resourceVersion")}:
            raise conflict(call.resource.name, call.resource.group, call.target.name)
        replicas = dig(wanted, "spec", "replicas")
        if not isinstance(replicas, int) or replicas < 0:
            raise bad_request("spec.replicas must be a number from 0")
        found = call.cluster.store(
            call.resource, merge_patch(found, {"spec": {"replicas": replicas}})
        )
    return answer(_shown(found), media=media)


async def _wanted(call: Call, found: Object) -> Object:
    raw, media = await read_bytes(call.request), media_type(call)
    if call.verb == "update":
        return decode(raw, media, "Scale")
    if media != "application/merge-patch+json":
        raise unsupported_media_type()
    try:
        changed: Object = merge_patch(_shown(found), json.loads(raw))
    except ValueError as error:
        raise bad_request(f"error decoding patch: {error}") from None
    return changed


def _shown(obj: Object) -> Object:
    meta = metadata(obj)
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    replicas = dig(obj, "spec", "replicas")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: meta[field] for field in kept if field in meta},
        "spec": {"replicas": 1 if replicas is None else replicas},
        "status": {
            "replicas": dig(obj, "status", "replicas") or 0,
            "selector": labels_text(dig(obj, "spec", "selector", "matchLabels")),
        },
    }
