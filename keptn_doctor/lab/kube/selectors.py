"""Label and field selectors, parsed by the grammar and with the messages of apimachinery.

Label grammar: ``k8s.io/apimachinery/pkg/labels/selector.go``; fields: ``pkg/fields/selector.go``.
Anything malformed raises ``BadRequest`` with the real server's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from keptn_doctor.lab.kube.objects import Object, dig, metadata
from keptn_doctor.lab.kube.resources import Resource
from keptn_doctor.lab.kube.status import bad_request
from keptn_doctor.model.base import Record

_TOKEN = re.compile(r"\s*(==|!=|[!=,()<>]|[^\s!=,()<>]+)")
_PUNCTUATION = {"!", "=", "==", "!=", ",", "(", ")", "<", ">"}
_OPERATORS = ("!=", "<", "=", "==", ">", "in", "notin")
_NAME_PART = re.compile(r"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$")
_NAME_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


class Requirement(Record, frozen=True, kw_only=True):
    """One term: ``key operator values`` with operator in, notin, exists, absent, gt or lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: dict[str, Any]) -> bool:
        present = self.key in labels
        value = str(labels.get(self.key, ""))
        if self.operator == "in":
            return present and value in self.values
        if self.operator == "notin":
            return not present or value not in self.values
        if self.operator in {"gt", "lt"}:
            return present and self._compares(value)
        return present == (self.operator == "exists")

    def _compares(self, value: str) -> bool:
        bound = next(iter(self.values))
        if not (_is_integer(value) and _is_integer(bound)):
            return False
        return int(value) > int(bound) if self.operator == "gt" else int(value) < int(bound)


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdigit()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = [match.group(1) for match in _TOKEN.finditer(text)]
        self._at = 0

    def look(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self) -> str:
        token = self.look()
        self._at += 1
        return token

    def requirements(self) -> Iterator[Requirement]:
        while self.look():
            if self.look() in _PUNCTUATION - {"!"}:
                raise bad_request(
                    f"found '{self.look()}', expected: !, identifier, or 'end of string'"
                )
            yield self._requirement()
            separator = self.take()
            if separator not in {"", ","}:
                raise bad_request(f"found '{separator}', expected: ',' or 'end of string'")
            if separator == "," and (not self.look() or self.look() in _PUNCTUATION - {"!"}):
                raise bad_request(f"found '{self.look()}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        absent = self.look() == "!"
        if absent:
            self.take()
        key = self.take()
        if not key or key in _PUNCTUATION:
            raise _unparsable(f"found '{key}', expected: identifier")
        if not _NAME_PART.match(key.rpartition("/")[2]):
            raise _unparsable(f'key: Invalid value: "{key}": {_NAME_RULE}')
        if absent:
            return Requirement(key=key, operator="absent")
        if self.look() in {"", ","}:
            return Requirement(key=key, operator="exists")
        return self._comparison(key, self.take())

    def _comparison(self, key: str, operator: str) -> Requirement:
        if operator in {"in", "notin"}:
            return Requirement(key=key, operator=operator, values=self._set())
        names = {"=": "in", "==": "in", "!=": "notin", ">": "gt", "<": "lt"}
        if operator not in names:
            raise _unparsable(f"found '{operator}', expected: {', '.join(_OPERATORS)}")
        value = "" if self.look() in {"", ","} else self.take()
        if value in _PUNCTUATION:
            raise _unparsable(f"found '{value}', expected: identifier")
        return Requirement(key=key, operator=names[operator], values=frozenset({value}))

    def _set(self) -> frozenset[str]:
        opening = self.take()
        if opening != "(":
            raise _unparsable(f"found '{opening}' expected: '('")
        if self.look() in _PUNCTUATION - {",", ")"} or not self.look():
            raise _unparsable(f"found '{self.look()}', expected: ',', ')' or identifier")
        if self.look() == ")":
            empty = "for 'in', 'notin' operators, values set can't be empty"
            raise _unparsable(f"values: Invalid value: []: {empty}")
        values: set[str] = set()
        while True:
            token = "" if self.look() in {",", ")"} else self.take()
            values.add(token)
            end = self.take()
            if end == ")":
                return frozenset(values)
            if end != ",":
                raise _unparsable(f"found '{end}', expected: ',' or ')'")


def _unparsable(message: str) -> Exception:
    return bad_request(f"unable to parse requirement: {message}")


def parse_labels(text: str) -> tuple[Requirement, ...]:
    return tuple(_Parser(text).requirements())


def labels_match(requirements: tuple[Requirement, ...], obj: Object) -> bool:
    labels = metadata(obj).get("labels")
    known = labels if isinstance(labels, dict) else {}
    return all(requirement.matches(known) for requirement in requirements)


class FieldTerm(Record, frozen=True, kw_only=True):
    field: str
    value: str
    equal: bool

    def matches(self, obj: Object) -> bool:
        return (field_value(obj, self.field) == self.value) == self.equal


_POD = (
    "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName "
    "spec.hostNetwork status.phase status.podIP status.podIPs status.nominatedNodeName"
)
_INVOLVED = (
    "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid "
    "involvedObject.apiVersion involvedObject.resourceVersion involvedObject.fieldPath "
    "reason reportingComponent source type"
)
_REGARDING = _INVOLVED.replace("involvedObject", "regarding").replace(
    "reportingComponent source", "reportingController"
)
_FIELDS: dict[tuple[str, str], str] = {
    ("", "pods"): _POD,
    ("", "events"): _INVOLVED,
    ("events.k8s.io", "events"): _REGARDING,
    ("", "namespaces"): "status.phase",
    ("", "nodes"): "spec.unschedulable",
    ("", "secrets"): "type",
    ("", "services"): "spec.clusterIP spec.type",
    ("", "replicationcontrollers"): "status.replicas",
    ("apps", "replicasets"): "status.replicas",
    ("batch", "jobs"): "status.successful",
}
_STORED_AS = {"regarding": "involvedObject", "reportingController": "reportingComponent"}


def field_value(obj: Object, field: str) -> str:
    """A field as selectors compare it: missing is the empty string, booleans in lower case."""
    first, _, rest = field.partition(".")
    path = [_STORED_AS.get(first, first), *([*rest.split(".")] if rest else [])]
    value = dig(obj, *path)
    if field == "source":
        value = dig(obj, "source", "component") or obj.get("reportingComponent")
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "false" if field in {"spec.unschedulable", "spec.hostNetwork"} else ""
    return str(value)


def parse_fields(text: str, resource: Resource) -> tuple[FieldTerm, ...]:
    supported = {"metadata.name", *_FIELDS.get((resource.group, resource.name), "").split()}
    if resource.namespaced:
        supported.add("metadata.namespace")
    terms = []
    for part in filter(None, text.split(",")):
        term = _field_term(part, text)
        if term.field not in supported:
            raise bad_request(f"field label not supported: {term.field}")
        terms.append(term)
    return tuple(terms)


def _field_term(part: str, text: str) -> FieldTerm:
    for operator, equal in (("!=", False), ("==", True), ("=", True)):
        field, found, value = part.partition(operator)
        if found:
            return FieldTerm(field=field, value=value, equal=equal)
    raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")


def fields_match(terms: tuple[FieldTerm, ...], obj: Object) -> bool:
    return all(term.matches(obj) for term in terms)


def selected_name(terms: tuple[FieldTerm, ...]) -> str:
    """The name in ``metadata.name=x``: authorization sees a list of one object by that name."""
    return next((t.value for t in terms if t.field == "metadata.name" and t.equal), "")
