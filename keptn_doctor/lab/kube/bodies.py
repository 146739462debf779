"""Reading what a client sends: media types, JSON and YAML, and whether it is the right object."""

from __future__ import annotations

import json
from typing import Any

import yaml
from aiohttp import web

from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.objects import Object, metadata, name_of
from keptn_doctor.lab.kube.status import ApiError, bad_request, unsupported_media_type

_TOO_LARGE = "Request entity too large: limit is 3145728"
PROTOBUF = "application/vnd.kubernetes.protobuf"


def media_type(call: Call) -> str:
    """The Content-Type without parameters; JSON when none is given, as in a real server."""
    header = call.request.headers.get("Content-Type", "application/json")
    return header.partition(";")[0].strip().lower()


async def read_bytes(request: web.BaseRequest) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise ApiError(413, "RequestEntityTooLarge", _TOO_LARGE) from None


async def read_object(call: Call) -> Object:
    """The object of a create or update; raises 400 and 415 with the recorded words."""
    media = media_type(call)
    if media not in {"application/json", "application/yaml"}:
        raise unsupported_media_type()
    obj = decode(await read_bytes(call.request), media, call.resource.kind)
    _check_identity(call, obj)
    return obj


def decode(raw: bytes, media: str, kind: str) -> Object:
    found: Any
    try:
        found = json.loads(raw) if media == "application/json" else yaml.safe_load(raw)
    except (ValueError, yaml.YAMLError) as error:
        text = raw.decode(errors="replace")
        message = (
            f"the object provided is unrecognized (must be of type {kind}): couldn't get "
            f"version/kind; json parse error: {_complaint(error, text)} ({text[:100]})"
        )
        raise bad_request(message) from None
    if not isinstance(found, dict):
        shown = "array" if isinstance(found, list) else type(found).__name__
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind}): couldn't get "
            f"version/kind; json parse error: json: cannot unmarshal {shown} into Go value"
        )
    return found


def _complaint(error: Exception, text: str) -> str:
    """Go's words for broken JSON, as far as Python's decoder says where it is."""
    if isinstance(error, json.JSONDecodeError) and error.pos < len(text):
        return f"invalid character '{text[error.pos]}' looking for beginning of value"
    return "unexpected end of JSON input"


def _check_identity(call: Call, obj: Object) -> None:
    given = f"{obj.get('apiVersion', '')}, {obj.get('kind', '')}"
    wanted = f"{call.resource.api_version}, {call.resource.kind}"
    if obj.get("kind", call.resource.kind) != call.resource.kind:
        raise bad_request(
            f"{obj.get('kind')} in version {obj.get('apiVersion')} cannot be handled as a "
            f"{call.resource.kind}: no match ({given} is not {wanted})"
        )
    if obj.get("apiVersion", call.resource.api_version) != call.resource.api_version:
        raise bad_request(
            f"the API version in the data ({obj['apiVersion']}) does not match the expected API "
            f"version ({call.resource.api_version})"
        )
    namespace = metadata(obj).get("namespace")
    if call.resource.namespaced and namespace not in {None, "", call.target.namespace}:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if call.target.name and name_of(obj) != call.target.name:
        raise bad_request(
            f"the name of the object ({name_of(obj)}) does not match the name on the URL "
            f"({call.target.name})"
        )
