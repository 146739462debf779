"""create, update, patch and delete: for an operator's kubectl and an active run's probe pod."""

from __future__ import annotations

import copy
import json
import secrets
from collections.abc import Callable
from typing import Any

from aiohttp import web

from keptn_doctor.lab.kube.bodies import decode, media_type, read_bytes, read_object
from keptn_doctor.lab.kube.call import Call, integer
from keptn_doctor.lab.kube.conversion import from_storage, to_storage
from keptn_doctor.lab.kube.defaults import admit, complete_node_status, complete_pod_status
from keptn_doctor.lab.kube.negotiation import answer, negotiate
from keptn_doctor.lab.kube.objects import Object, dig, metadata, name_of, stable_uid, stamp
from keptn_doctor.lab.kube.patches import PatchError, json_patch, merge_patch, strategic_merge
from keptn_doctor.lab.kube.reads import list_item, selection
from keptn_doctor.lab.kube.status import (
    ApiError,
    already_exists,
    bad_request,
    conflict,
    not_found,
    unsupported_media_type,
)
from keptn_doctor.lab.kube.validation import has_generate_name, validate_new

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_PODS = ("", "pods")
_PATCHES: dict[str, Callable[[Any, Any], Any]] = {
    "application/merge-patch+json": merge_patch,
    "application/strategic-merge-patch+json": strategic_merge,
    "application/json-patch+json": json_patch,
    # Server-side apply without field ownership: what is applied wins.
    "application/apply-patch+yaml": strategic_merge,
}


async def create(call: Call) -> web.Response:
    media = negotiate(call.accept, call.cluster.generation).media
    obj = await read_object(call)
    stored = _prepare(call, obj)
    if not _is_dry(call):
        stored = call.cluster.store(call.resource, stored)
        _created(call, stored)
    else:
        path = f"{call.target.namespace}/{name_of(stored)}"
        identity = {
            "uid": stable_uid(call.cluster.name, "dry", path),
            "creationTimestamp": stamp(call.cluster.now()),
        }
        stored["metadata"] = {**metadata(stored), **identity}
    body = from_storage(call.resource, stored)
    return answer(body, status=201, media=media, headers=call.warnings)


def _prepare(call: Call, obj: Object) -> Object:
    """Check a new object and fill what the server fills."""
    resource, cluster = call.resource, call.cluster
    meta = dict(metadata(obj))
    if resource.namespaced:
        meta["namespace"] = call.target.namespace
    obj = {**obj, "metadata": meta}
    if has_generate_name(obj):
        suffix = "".join(secrets.choice(_SUFFIX) for _ in range(5))
        meta["name"] = f"{meta['generateName']}{suffix}"
    for field in ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"):
        meta.pop(field, None)
    validate_new(resource, obj)
    if cluster.peek(resource.key, call.namespace, name_of(obj)) is not None:
        raise already_exists(resource.name, resource.group, name_of(obj))
    if resource.namespaced and not cluster.has_namespace(call.target.namespace):
        raise not_found("namespaces", "", call.target.namespace)
    if any(sub.name == "status" for sub in resource.subresources):
        obj.pop("status", None)
    stored = copy.deepcopy(to_storage(resource, obj))
    admit(resource.key, stored, cluster.generation)
    if resource.key == _PODS and cluster.admit_pod is not None:
        refusal = cluster.admit_pod(cluster, stored)
        if refusal:
            raise ApiError(403, "Forbidden", f'pods "{name_of(stored)}" is forbidden: {refusal}')
    return stored


def _created(call: Call, stored: Object) -> None:
    hook = call.cluster.on_pod_created
    if hook is not None and call.resource.key == _PODS:
        hook(call.cluster, copy.deepcopy(stored))


def _is_dry(call: Call) -> bool:
    wanted = call.query.get("dryRun", "")
    if wanted not in {"", "All"}:
        raise bad_request(f'Invalid value: "{wanted}": dryRun must be All')
    return wanted == "All"


async def update(call: Call) -> web.Response:
    """PUT on the object or on its status."""
    media = negotiate(call.accept, call.cluster.generation).media
    obj = await read_object(call)
    before = _existing(call)
    return _replace(call, before, to_storage(call.resource, obj), media)


async def patch(call: Call) -> web.Response:
    media = negotiate(call.accept, call.cluster.generation).media
    kind = media_type(call)
    apply = _PATCHES.get(kind)
    if apply is None:
        raise unsupported_media_type()
    if kind.startswith("application/strategic") and call.resource.custom:
        raise unsupported_media_type()
    raw = await read_bytes(call.request)
    change = _decode_patch(raw, kind, call)
    if (
        kind == "application/apply-patch+yaml"
        and call.cluster.peek(call.resource.key, call.namespace, call.target.name) is None
    ):
        return _apply_new(call, change, media)
    before = _existing(call)
    shown = from_storage(call.resource, before)
    try:
        changed = apply(shown, change)
    except PatchError as error:
        raise ApiError(422, "Invalid", str(error)) from None
    return _replace(call, before, to_storage(call.resource, changed), media)


def _decode_patch(raw: bytes, kind: str, call: Call) -> Any:
    if kind == "application/apply-patch+yaml":
        return decode(raw, "application/yaml", call.resource.kind)
    try:
        return json.loads(raw)
    except ValueError as error:
        raise bad_request(f"error decoding patch: {error}") from None


def _apply_new(call: Call, obj: Object, media: str) -> web.Response:
    stored = _prepare(call, {**obj, "metadata": {**metadata(obj), "name": call.target.name}})
    if not _is_dry(call):
        stored = call.cluster.store(call.resource, stored)
        _created(call, stored)
    return answer(from_storage(call.resource, stored), status=201, media=media)


def _existing(call: Call) -> Object:
    found = call.cluster.peek(call.resource.key, call.namespace, call.target.name)
    if found is None:
        raise call.missing()
    return found


def _replace(call: Call, before: Object, wanted: Object, media: str) -> web.Response:
    old, new = metadata(before), dict(metadata(wanted))
    version = new.get("resourceVersion")
    if version not in {None, "", old["resourceVersion"]}:
        raise conflict(call.resource.name, call.resource.group, call.target.name)
    for field in ("uid", "creationTimestamp", "name", "namespace", "generation"):
        if field in old:
            new[field] = old[field]
    merged = _merge_parts(call, before, wanted, new)
    if not _is_dry(call):
        # An update that changes nothing is not written.
        merged = before if merged == before else call.cluster.store(call.resource, merged)
    body = from_storage(call.resource, merged)
    return answer(body, media=media, headers=call.warnings)


def _merge_parts(call: Call, before: Object, wanted: Object, meta: dict[str, Any]) -> Object:
    """Status and the rest are written through two doors, when the resource has both."""
    has_status = any(sub.name == "status" for sub in call.resource.subresources)
    if call.target.subresource == "status":
        merged = {**before, "metadata": meta, "status": copy.deepcopy(wanted.get("status", {}))}
        if call.resource.key == _PODS:
            complete_pod_status(merged)
            qos = dig(before, "status", "qosClass")
            if qos and call.cluster.generation.is_new and isinstance(merged["status"], dict):
                merged["status"].setdefault("qosClass", qos)  # older servers lose it here
        elif call.resource.key == ("", "nodes"):
            complete_node_status(merged)
        return merged
    merged = {**wanted, "metadata": meta}
    if has_status:
        merged.pop("status", None)
        if "status" in before:
            merged["status"] = before["status"]
    if "generation" in meta and merged.get("spec") != before.get("spec"):
        meta["generation"] = int(meta["generation"]) + 1
    return merged


async def delete(call: Call) -> web.Response:
    """Delete one object: a pod is answered with itself, most others with a Status."""
    media = negotiate(call.accept, call.cluster.generation).media
    options = await _delete_options(call)
    found = _existing(call)
    _check_preconditions(call, found, options)
    if _is_dry(call):
        gone: Object | None = found
    else:
        orphan = options.get("propagationPolicy") == "Orphan"
        gone = call.cluster.delete(
            call.resource.key, call.namespace, call.target.name, orphan=orphan
        )
    if call.resource.key == _PODS and gone is not None:
        return answer(from_storage(call.resource, _dying(call, gone, options)), media=media)
    details = {"name": call.target.name}
    if call.resource.group:
        details["group"] = call.resource.group
    details.update(kind=call.resource.name, uid=str(metadata(found).get("uid")))
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return answer({**body, "details": details}, media=media, headers=call.warnings)


def _dying(call: Call, pod: Object, options: Object) -> Object:
    """The last state of a pod, with the marks of its deletion."""
    grace = options.get("gracePeriodSeconds")
    if grace is None:
        grace = dig(pod, "spec", "terminationGracePeriodSeconds")
    if not dig(pod, "spec", "nodeName"):
        grace = 0
    meta = dict(metadata(pod))
    meta["deletionTimestamp"] = stamp(call.cluster.now())
    meta["deletionGracePeriodSeconds"] = grace if isinstance(grace, int) else 30
    if "generation" in meta:
        meta["generation"] = int(meta["generation"]) + 1
    return {**pod, "metadata": meta}


async def _delete_options(call: Call) -> Object:
    raw = await read_bytes(call.request)
    options = decode(raw, "application/json", "DeleteOptions") if raw else {}
    grace = call.query.get("gracePeriodSeconds")
    if grace:
        options["gracePeriodSeconds"] = integer(grace)
    if call.query.get("propagationPolicy"):
        options["propagationPolicy"] = call.query["propagationPolicy"]
    return options


def _check_preconditions(call: Call, found: Object, options: Object) -> None:
    wanted = options.get("preconditions")
    if not isinstance(wanted, dict):
        return
    for field in ("uid", "resourceVersion"):
        if wanted.get(field) not in {None, metadata(found).get(field)}:
            raise conflict(call.resource.name, call.resource.group, call.target.name)


async def delete_collection(call: Call) -> web.Response:
    """Delete every selected object of a namespace; answered with the list of them."""
    media = negotiate(call.accept, call.cluster.generation).media
    await _delete_options(call)
    chosen = selection(call)
    rows = call.cluster.items(call.resource.key, call.namespace)
    doomed = [obj for obj in rows if chosen.matches(obj)]
    if not _is_dry(call):
        for obj in doomed:
            namespace = str(metadata(obj).get("namespace") or "")
            call.cluster.delete(call.resource.key, namespace, name_of(obj))
    body = {
        "kind": f"{call.resource.kind}List",
        "apiVersion": call.resource.api_version,
        "metadata": {"resourceVersion": str(call.cluster.revision)},
        "items": [list_item(call.resource, obj) for obj in doomed],
    }
    return answer(body, media=media, headers=call.warnings)
