"""get and list: paging, selectors, resource versions and the shapes of the answer.

List rules: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions and
``storage/continue.go`` for the token.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import web

from keptn_doctor.lab.kube.call import Call, integer
from keptn_doctor.lab.kube.conversion import from_storage
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.negotiation import Shape, answer, negotiate
from keptn_doctor.lab.kube.objects import Object
from keptn_doctor.lab.kube.resources import Resource
from keptn_doctor.lab.kube.selectors import (
    FieldTerm,
    Requirement,
    fields_match,
    labels_match,
    parse_fields,
    parse_labels,
)
from keptn_doctor.lab.kube.status import ApiError, Cause, bad_request, expired, invalid
from keptn_doctor.lab.kube.tables import table
from keptn_doctor.model.base import Record

_GONE = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter."
)
_NO_VERSION_WITH_CONTINUE = "specifying resource version is not allowed when using continue"


class Selection(Record, frozen=True, kw_only=True):
    """The selectors of a list or watch."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[FieldTerm, ...] = ()

    def matches(self, obj: Object) -> bool:
        return labels_match(self.labels, obj) and fields_match(self.fields, obj)


class Page(Record, frozen=True, kw_only=True):
    """One page of objects as stored, and the metadata of the list."""

    items: tuple[Object, ...]
    metadata: dict[str, Any]


def selection(call: Call) -> Selection:
    query = call.query
    fields = parse_fields(query.get("fieldSelector", ""), call.resource)
    named = call.target.name
    if named:
        fields = (*fields, FieldTerm(field="metadata.name", value=named, equal=True))
    return Selection(labels=parse_labels(query.get("labelSelector", "")), fields=fields)


def get_object(call: Call) -> web.Response:
    shape = negotiate(call.accept, call.cluster.generation, "Table", "PartialObjectMetadata")
    found = call.cluster.peek(call.resource.key, call.namespace, call.target.name)
    if found is None:
        raise call.missing()
    if shape.kind == "Table":
        meta = {"resourceVersion": found["metadata"]["resourceVersion"]}
        body = table(call, shape, (found,), meta)
    elif shape.kind:
        body = metadata_only(shape, found)
    else:
        body = from_storage(call.resource, found)
    return answer(body, media=shape.media, headers=call.warnings)


def list_objects(call: Call) -> web.Response:
    shape = negotiate(call.accept, call.cluster.generation, "Table", "PartialObjectMetadataList")
    page = read_page(call)
    meta = dict(page.metadata)
    if shape.kind == "Table":
        body = table(call, shape, page.items, meta)
    elif shape.kind:
        if not call.cluster.generation.is_new:
            meta.pop("remainingItemCount", None)  # 1.20 forgets it here
        item_shape = Shape(kind="PartialObjectMetadata", group=shape.group, version=shape.version)
        items = [metadata_only(item_shape, obj) for obj in page.items]
        body = {
            "kind": shape.kind,
            "apiVersion": shape.api_version,
            "metadata": meta,
            "items": items,
        }
    else:
        body = {
            "kind": f"{call.resource.kind}List",
            "apiVersion": call.resource.api_version,
            "metadata": meta,
            "items": [list_item(call.resource, obj) for obj in page.items],
        }
    return answer(body, media=shape.media, headers=call.warnings)


def metadata_only(shape: Shape, obj: Object) -> Object:
    return {"kind": shape.kind, "apiVersion": shape.api_version, "metadata": obj.get("metadata")}


def list_item(resource: Resource, obj: Object) -> Object:
    """An object inside a list: only custom resources repeat their kind there."""
    shown = from_storage(resource, obj)
    if not resource.custom:
        del shown["kind"], shown["apiVersion"]
    return shown


def read_page(call: Call) -> Page:
    query = call.query
    limit = integer(query["limit"]) if query.get("limit") else 0
    chosen = selection(call)
    _check_list_options(call)
    cached = _served_from_cache(call)
    start, revision = _position(call)
    rows = call.cluster.paths(call.resource.key, call.namespace)
    if start:
        rows = [row for row in rows if row[0] >= start]
    matching = [row for row in rows if chosen.matches(row[1])]
    meta: dict[str, Any] = {"resourceVersion": str(revision)}
    if cached:
        meta["resourceVersion"] = str(call.cluster.latest(call.resource.key))
    if limit <= 0 or cached or len(matching) <= limit:
        return Page(items=tuple(obj for _, obj in matching), metadata=meta)
    page = matching[:limit]
    meta["continue"] = _token(call, page[-1][0], revision)
    if not chosen.labels and not chosen.fields:
        meta["remainingItemCount"] = len(matching) - limit
    return Page(items=tuple(obj for _, obj in page), metadata=meta)


def _served_from_cache(call: Call) -> bool:
    """resourceVersion=0 may be answered from the watch cache, which ignores the limit."""
    query = call.query
    return query.get("resourceVersion") == "0" and not query.get("continue")


def _check_list_options(call: Call) -> None:
    """``ValidateListOptions`` of apimachinery, for lists."""
    query, field = call.query, "resourceVersionMatch"
    match = query.get(field)
    if match and not query.get("resourceVersion"):
        raise list_options_error(field, f"{field} is forbidden unless resourceVersion is provided")
    if match and query.get("continue"):
        raise list_options_error(field, f"{field} is forbidden when continue is provided")
    if match == "Exact" and query.get("resourceVersion") == "0":
        text = f'{field} "exact" is forbidden for resourceVersion "0"'
        raise list_options_error(field, text)
    if "sendInitialEvents" in query and call.cluster.generation.knows_send_initial_events:
        raise list_options_error("sendInitialEvents", "sendInitialEvents is forbidden for list")


def list_options_error(field: str, text: str) -> ApiError:
    cause = Cause(reason="FieldValueForbidden", message=f"Forbidden: {text}", field=field)
    return invalid("ListOptions", "meta.k8s.io", "", (cause,))


def _position(call: Call) -> tuple[str, int]:
    """Where the page starts and the revision that it shows."""
    query, cluster = call.query, call.cluster
    token = query.get("continue")
    version = query.get("resourceVersion", "")
    if token:
        if version not in {"", "0"}:
            raise bad_request(_NO_VERSION_WITH_CONTINUE)
        start, revision = _read_token(token, cluster.generation)
        if revision < cluster.compacted:
            raise expired(_GONE)
        prefix = f"{call.namespace}/" if call.namespace else ""
        return prefix + start, revision
    if version and parse_version(version, cluster.generation) > cluster.revision:
        raise too_large(version, cluster.latest(call.resource.key))
    return "", cluster.revision


def parse_version(text: str, generation: Generation) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    message = (
        f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": '
        "invalid syntax"
    )
    if generation.is_new:
        raise bad_request(f"invalid resource version: {message}")
    raise ApiError(500, "", message)


def too_large(version: str, current: int) -> ApiError:
    """The future: a real server waits 3 s for it to come and then gives up; the lab does not."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return ApiError(
        504,
        "Timeout",
        f"Timeout: Too large resource version: {version}, current: {current}",
        details={"causes": causes, "retryAfterSeconds": 1},
        headers={"Retry-After": "1"},
    )


def _token(call: Call, last_path: str, revision: int) -> str:
    start = last_path.removeprefix(f"{call.namespace}/") if call.namespace else last_path
    token = json.dumps(
        {"v": "meta.k8s.io/v1", "rv": revision, "start": f"{start}\0"}, separators=(",", ":")
    )
    return base64.urlsafe_b64encode(token.encode()).rstrip(b"=").decode()


def _read_token(text: str, generation: Generation) -> tuple[str, int]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        at = next((i for i, c in enumerate(text) if not (c.isalnum() or c in "-_")), len(text))
        raise _bad_token(f"illegal base64 data at input byte {at}") from None
    try:
        token = json.loads(raw)
    except ValueError:
        raise _bad_token(_json_complaint(raw, generation)) from None
    start, revision = token.get("start"), token.get("rv")
    if token.get("v") != "meta.k8s.io/v1" or not isinstance(start, str):
        raise _bad_token("server does not recognize this encoded version")
    return start.removeprefix("/"), int(revision)


def _bad_token(why: str) -> ApiError:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")


def _json_complaint(raw: bytes, generation: Generation) -> str:
    """Go's words for bytes that are no JSON; newer releases write a strange byte in hex."""
    if not raw:
        return "unexpected end of JSON input"
    first = raw[0]
    shown = f"\\x{first:02x}" if generation.is_new else f"\\u{first:04x}"
    if 0x20 <= first < 0x7F:
        shown = chr(first)
    return f"invalid character '{shown}' looking for beginning of value"
