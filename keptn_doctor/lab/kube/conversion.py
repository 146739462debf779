"""The same object in another API version: what changes beside ``apiVersion``.

Objects are kept in one form (Ingress as networking.k8s.io/v1, Event as core v1) and converted on
the way in and out. Only these two kinds change shape between the versions that the lab serves;
for all others the version string is the whole difference.
"""

from __future__ import annotations

from typing import Any

from keptn_doctor.lab.kube.objects import Object, dicts
from keptn_doctor.lab.kube.resources import Resource

_INGRESS = ("networking.k8s.io", "ingresses")
_EVENT_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "source": "deprecatedSource",
}


def _renamed(obj: Object, names: dict[str, str]) -> Object:
    return {names.get(key, key): value for key, value in obj.items()}


def _old_backend(backend: Any) -> Any:
    if not isinstance(backend, dict) or not isinstance(backend.get("service"), dict):
        return backend
    service = backend["service"]
    port = service.get("port")
    number = port.get("number", port.get("name")) if isinstance(port, dict) else port
    return {"serviceName": service.get("name"), "servicePort": number}


def _new_backend(backend: Any) -> Any:
    if not isinstance(backend, dict) or "serviceName" not in backend:
        return backend
    port = backend.get("servicePort")
    field = "number" if isinstance(port, int) else "name"
    return {"service": {"name": backend["serviceName"], "port": {field: port}}}


def _ingress(obj: Object, *, old: bool) -> Object:
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return obj
    convert = _old_backend if old else _new_backend
    inner, outer = ("defaultBackend", "backend") if old else ("backend", "defaultBackend")
    spec = dict(spec)
    if inner in spec:
        spec[outer] = convert(spec.pop(inner))
    if isinstance(spec.get("rules"), list):
        spec["rules"] = [_rule(rule, old=old) for rule in dicts(spec["rules"])]
    return {**obj, "spec": spec}


def _rule(rule: Object, *, old: bool) -> Object:
    http = rule.get("http")
    if not isinstance(http, dict):
        return rule
    convert = _old_backend if old else _new_backend
    paths = []
    for path in dicts(http.get("paths")):
        changed = {**path, "backend": convert(path.get("backend"))}
        if not old:
            changed.setdefault("pathType", "ImplementationSpecific")
        paths.append(changed)
    return {**rule, "http": {**http, "paths": paths}}


def to_storage(resource: Resource, obj: Object) -> Object:
    """The kept form of an object that was given in the version of ``resource``."""
    if resource.key == _INGRESS and resource.version != "v1":
        return {**_ingress(obj, old=False), "apiVersion": "networking.k8s.io/v1"}
    if resource.name == "events" and resource.group:
        kept = _renamed(obj, {new: old for old, new in _EVENT_NAMES.items()})
        return {**kept, "apiVersion": "v1"}
    return obj


def from_storage(resource: Resource, obj: Object) -> Object:
    """The object as the version of ``resource`` shows it, kind and apiVersion first."""
    shown = {"kind": resource.kind, "apiVersion": resource.api_version}
    shown.update((k, v) for k, v in obj.items() if k not in {"kind", "apiVersion"})
    if resource.key == _INGRESS and resource.version != "v1":
        return _ingress(shown, old=True)
    if resource.name == "events" and resource.group:
        return _renamed(shown, _EVENT_NAMES)
    return shown
