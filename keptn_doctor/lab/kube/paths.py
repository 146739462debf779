"""Reading a request path as the API server does (``apiserver/pkg/endpoints/request``)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from keptn_doctor.model.base import Record

_NAMESPACE_SUBRESOURCES = {"status", "finalize"}
_METHOD_VERBS = {
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
    "GET": "get",
    "HEAD": "get",
}


class Target(Record, frozen=True, kw_only=True):
    """What a path points at. Without ``resource`` it is a path such as ``/version``."""

    path: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""  # what follows the subresource, for proxies; still percent-encoded


def parse_path(raw_path: str) -> Target:
    """Split a path (without query); never fails: what is no resource is a plain path."""
    path = unquote(raw_path)
    encoded = raw_path.strip("/").split("/")
    parts = [unquote(part) for part in encoded]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return Target(path=path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
            rest = rest[2:]
    depth = len(parts) - len(rest)
    return Target(
        path=path,
        group=group,
        version=version,
        namespace=namespace,
        resource=rest[0],
        name=rest[1] if len(rest) > 1 else "",
        subresource=rest[2] if len(rest) > 2 else "",
        rest="/".join(encoded[depth + 3 :]),
    )


def is_true(value: str | None) -> bool:
    return value is not None and value.lower() not in {"false", "0"}


def verb_of(method: str, target: Target, query: Mapping[str, str]) -> str:
    """The RBAC verb; for a plain path it is the method in lower case."""
    verb = _METHOD_VERBS.get(method, method.lower())
    if not target.resource:
        return method.lower()
    if target.name:
        return verb
    if verb == "get":
        return "watch" if is_true(query.get("watch")) else "list"
    return "deletecollection" if verb == "delete" else verb
