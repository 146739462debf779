"""Just enough protobuf to read the access reviews that kubectl posts.

Kubernetes puts four magic bytes before a message and wraps it in ``runtime.Unknown`` (field 2 is
the object). Field numbers: ``k8s.io/api/authorization/v1/generated.proto``. Only length-delimited
fields matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keptn_doctor.lab.kube.objects import Object
from keptn_doctor.lab.kube.status import bad_request

MAGIC = b"k8s\0"
_RESOURCE = {
    1: "namespace",
    2: "verb",
    3: "group",
    4: "version",
    5: "resource",
    6: "subresource",
    7: "name",
}
_NON_RESOURCE = {1: "path", 2: "verb"}


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(raw: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        number, wire = tag >> 3, tag & 7
        if wire == 2:
            size, at = _varint(raw, at)
            yield number, raw[at : at + size]
            at += size
        elif wire == 0:
            _, at = _varint(raw, at)
        else:
            raise IndexError("a wire type that access reviews do not use")


def _strings(raw: bytes, names: dict[int, str]) -> dict[str, Any]:
    return {names[n]: v.decode() for n, v in _fields(raw) if n in names and v}


def decode_review(raw: bytes, kind: str) -> Object:
    """A SelfSubjectAccessReview or SelfSubjectRulesReview as its JSON would be; 400 if broken."""
    try:
        message = dict(_fields(raw.removeprefix(MAGIC)))[2]
        spec_raw = dict(_fields(message)).get(2, b"")
        return {"kind": kind, "spec": _spec(spec_raw, kind)}
    except (IndexError, KeyError, UnicodeDecodeError):
        raise bad_request(f"the protobuf body is no {kind}") from None


def _spec(raw: bytes, kind: str) -> dict[str, Any]:
    if kind == "SelfSubjectRulesReview":
        return _strings(raw, {1: "namespace"})
    spec: dict[str, Any] = {}
    for number, value in _fields(raw):
        if number == 1:
            spec["resourceAttributes"] = _strings(value, _RESOURCE)
        elif number == 2:
            spec["nonResourceAttributes"] = _strings(value, _NON_RESOURCE)
    return spec
