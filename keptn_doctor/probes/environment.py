"""The environment a container starts with, worked out as the kubelet does it.

Needed because an endpoint or a token may come from a value, a Secret, a ConfigMap, a field of the
pod or an expression over other variables. Values stay in here: what leaves are settings that are
no secrets, fingerprints, and the problems met. Service variables (``*_SERVICE_HOST``) are left out.

Source: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
and ``makeEnvironmentVariables`` of the kubelet.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.topology import EnvProblem
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.quantities import amount

Source = Literal["value", "secret", "configmap", "field"]

_ENV_NAME = re.compile(r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")
_SUBSCRIPTED = re.compile(r"^metadata\.(labels|annotations)\['(.*)'\]$")


class Reference(Record, frozen=True, kw_only=True):
    """A Secret or ConfigMap that an environment draws from."""

    kind: Literal["secret", "configmap"]
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a Secret or ConfigMap holds; ``repr`` shows keys only."""

    data: Mapping[str, bytes] = field(repr=False)
    changed_at: datetime | None = None
    managers: tuple[str, ...] = ()


Lookup = Mapping[Reference, Contents | Failure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable with its value and where that came from."""

    value: bytes = field(repr=False)
    source: Source = "value"
    reference: str = ""
    changed_at: datetime | None = None


class PodFields(Record, frozen=True, kw_only=True):
    """What ``fieldRef`` can name; "" where it depends on a pod that is not there."""

    namespace: str
    name: str = ""
    uid: str = ""
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    node_name: str = ""
    service_account: str = ""
    pod_ip: str = ""
    host_ip: str = ""


class Environment(Record, frozen=True, kw_only=True):
    """All variables of a container that could be worked out."""

    variables: Mapping[str, Variable]
    problems: tuple[EnvProblem, ...] = ()

    def text(self, name: str, default: str = "") -> str:
        """A variable as text; bytes that are no UTF-8 come back as lone surrogates."""
        found = self.variables.get(name)
        return default if found is None else found.value.decode(errors="surrogateescape")

    def problem(self, name: str) -> EnvProblem | None:
        """Why a variable could not be worked out, None when it could or is not declared."""
        return next((p for p in self.problems if p.variable == name), None)

    def __contains__(self, name: str) -> bool:
        return name in self.variables


def secret_contents(secret: k8s.Secret) -> Contents:
    """A Secret's data, decoded; a value that is no base64 counts as empty."""
    data = {key: _decoded(value) for key, value in (secret.data or {}).items()}
    return _contents(secret, data)


def config_map_contents(config_map: k8s.ConfigMap) -> Contents:
    """A ConfigMap's data."""
    data = {
        key: str("" if value is None else value).encode(errors="surrogateescape")
        for key, value in (config_map.data or {}).items()
    }
    return _contents(config_map, data)


def _contents(thing: k8s.Object, data: Mapping[str, bytes]) -> Contents:
    dated = sorted(
        ((m.time, m.manager or "") for m in thing.managers if m.time is not None),
        key=lambda pair: pair[0],
    )
    changed_at = dated[-1][0] if dated else thing.created_at
    return Contents(data=data, changed_at=changed_at, managers=tuple(name for _, name in dated))


def _decoded(value: str | None) -> bytes:
    try:
        return base64.b64decode(value or "")
    except (binascii.Error, ValueError):
        return b""


def references(container: k8s.Container, *, namespace: str) -> frozenset[Reference]:
    """Every Secret and ConfigMap that the container's environment names."""
    found: set[Reference] = set()
    for source in container.env_from or ():
        if source.secret_ref and source.secret_ref.name:
            found.add(Reference(kind="secret", namespace=namespace, name=source.secret_ref.name))
        if source.config_map_ref and source.config_map_ref.name:
            name = source.config_map_ref.name
            found.add(Reference(kind="configmap", namespace=namespace, name=name))
    for variable in container.env or ():
        reference = _key_reference(variable, namespace=namespace)
        if reference is not None:
            found.add(reference[0])
    return frozenset(found)


def _key_reference(variable: k8s.EnvVar, *, namespace: str) -> tuple[Reference, k8s.KeyRef] | None:
    origin = variable.value_from
    if variable.value or origin is None:
        return None
    if origin.secret_key_ref is not None:
        key = origin.secret_key_ref
        return Reference(kind="secret", namespace=namespace, name=key.name or ""), key
    if origin.config_map_key_ref is not None:
        key = origin.config_map_key_ref
        return Reference(kind="configmap", namespace=namespace, name=key.name or ""), key
    return None


def effective_environment(
    container: k8s.Container, *, pod: PodFields, lookup: Lookup
) -> Environment:
    """The environment of a container; ``lookup`` must hold every one of its ``references``."""
    variables: dict[str, Variable] = {}
    problems: list[EnvProblem] = []
    for source in container.env_from or ():
        _add_all(source, pod=pod, lookup=lookup, variables=variables, problems=problems)
    for declared in container.env or ():
        if not declared.name:
            continue
        result = _resolve(declared, container, pod=pod, lookup=lookup, known=variables)
        if isinstance(result, Variable):
            variables[declared.name] = result
        elif result is not None:
            variables.pop(declared.name, None)
            problems.append(result)
    return Environment(variables=variables, problems=tuple(problems))


def _add_all(
    source: k8s.EnvFrom,
    *,
    pod: PodFields,
    lookup: Lookup,
    variables: dict[str, Variable],
    problems: list[EnvProblem],
) -> None:
    kinds: tuple[tuple[Literal["secret", "configmap"], k8s.SourceRef | None], ...] = (
        ("secret", source.secret_ref),
        ("configmap", source.config_map_ref),
    )
    for kind, ref in kinds:
        if ref is None:
            continue
        reference = Reference(kind=kind, namespace=pod.namespace, name=ref.name or "")
        contents = lookup[reference]
        if isinstance(contents, Failure):
            if not (ref.optional and contents.code == "not-found"):
                problems.append(_problem("*", str(reference), contents))
            continue
        for key, value in contents.data.items():
            name = f"{source.prefix or ''}{key}"
            if _ENV_NAME.match(name):
                variables[name] = Variable(
                    value=value,
                    source=kind,
                    reference=f"{reference} key {key}",
                    changed_at=contents.changed_at,
                )


def _resolve(
    declared: k8s.EnvVar,
    container: k8s.Container,
    *,
    pod: PodFields,
    lookup: Lookup,
    known: Mapping[str, Variable],
) -> Variable | EnvProblem | None:
    """The variable; a problem; or None when an optional reference leaves it unset."""
    name = declared.name or ""
    if declared.value:
        return Variable(value=_expand(declared.value.encode(errors="surrogateescape"), known))
    origin = declared.value_from
    if origin is None:
        return Variable(value=b"")
    keyed = _key_reference(declared, namespace=pod.namespace)
    if keyed is not None:
        return _from_key(name, *keyed, lookup=lookup)
    if origin.field_ref is not None:
        path = origin.field_ref.field_path or ""
        return Variable(value=_field(path, pod).encode(), source="field", reference=path)
    if origin.resource_field_ref is not None:
        wanted = origin.resource_field_ref
        value = _resource(wanted, container)
        return Variable(value=value.encode(), source="field", reference=wanted.resource or "")
    return Variable(value=b"")


def _from_key(
    name: str, reference: Reference, key: k8s.KeyRef, *, lookup: Lookup
) -> Variable | EnvProblem | None:
    contents, wanted = lookup[reference], key.key or ""
    where = f"{reference} key {wanted}"
    if isinstance(contents, Failure):
        if key.optional and contents.code == "not-found":
            return None
        return _problem(name, where, contents)
    if wanted not in contents.data:
        if key.optional:
            return None
        there = ", ".join(sorted(contents.data)) or "none"
        return EnvProblem(
            variable=name, reference=where, problem="key-missing", detail=f"keys there: {there}"
        )
    return Variable(
        value=contents.data[wanted],
        source=reference.kind,
        reference=where,
        changed_at=contents.changed_at,
    )


def _problem(variable: str, reference: str, failure: Failure) -> EnvProblem:
    problem: Literal["not-found", "forbidden", "unreadable"] = "unreadable"
    if failure.code in {"not-found", "forbidden"}:
        problem = "not-found" if failure.code == "not-found" else "forbidden"
    return EnvProblem(
        variable=variable, reference=reference, problem=problem, detail=failure.detail
    )


def _expand(value: bytes, known: Mapping[str, Variable]) -> bytes:
    """``$(NAME)`` by what is known so far, ``$$`` to ``$``; what is unknown stays as it is."""

    def replace(found: re.Match[bytes]) -> bytes:
        if found[0] == b"$$":
            return b"$"
        variable = known.get(found[1].decode(errors="surrogateescape"))
        return found[0] if variable is None else variable.value

    return re.sub(rb"\$\$|\$\(([^)]*)\)", replace, value)


def _field(path: str, pod: PodFields) -> str:
    subscripted = _SUBSCRIPTED.match(path)
    if subscripted:
        table = pod.labels if subscripted[1] == "labels" else pod.annotations
        return table.get(subscripted[2], "")
    return {
        "metadata.name": pod.name,
        "metadata.namespace": pod.namespace,
        "metadata.uid": pod.uid,
        "spec.nodeName": pod.node_name,
        "spec.serviceAccountName": pod.service_account,
        "status.podIP": pod.pod_ip,
        "status.podIPs": pod.pod_ip,
        "status.hostIP": pod.host_ip,
    }.get(path, "")


def _resource(wanted: k8s.ResourceFieldRef, container: k8s.Container) -> str:
    """A request or limit in units of the divisor, "" when the container declares none."""
    table, _, resource = (wanted.resource or "").partition(".")
    resources = container.resources or k8s.Resources()
    declared = (resources.limits if table == "limits" else resources.requests) or {}
    value, divisor = amount(declared.get(resource)), amount(wanted.divisor or "1")
    if value is None or not divisor:
        return ""
    return str(math.ceil(value / divisor))
