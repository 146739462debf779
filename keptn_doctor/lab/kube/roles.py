"""The user-facing ClusterRoles of every cluster: view, edit and admin.

What operators are usually bound to, and so what a diagnosis may count on: ``view`` reads no Secrets
and forwards no ports, ``edit`` does both. Rules after
``plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go``, written out instead of aggregated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keptn_doctor.lab.kube.generation import Generation

_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_CORE_VIEW = (
    "bindings configmaps endpoints events limitranges namespaces namespaces/status "
    "persistentvolumeclaims persistentvolumeclaims/status pods pods/log pods/status "
    "replicationcontrollers replicationcontrollers/scale replicationcontrollers/status "
    "resourcequotas resourcequotas/status serviceaccounts services services/status"
)
_CORE_EDIT = (
    "configmaps events persistentvolumeclaims pods replicationcontrollers "
    "replicationcontrollers/scale secrets serviceaccounts services services/proxy"
)
_STREAMS = "pods/attach pods/exec pods/portforward pods/proxy"
_APPS = (
    "daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets "
    "statefulsets/scale"
)
_GROUPS = {
    "apps": _APPS,
    "autoscaling": "horizontalpodautoscalers",
    "batch": "cronjobs jobs",
    "extensions": "ingresses networkpolicies",
    "networking.k8s.io": "ingresses networkpolicies",
    "policy": "poddisruptionbudgets",
}
_STATUSES = {
    "apps": "controllerrevisions daemonsets/status deployments/status replicasets/status "
    "statefulsets/status",
    "autoscaling": "horizontalpodautoscalers/status",
    "batch": "cronjobs/status jobs/status",
    "discovery.k8s.io": "endpointslices",
    "extensions": "ingresses/status",
    "networking.k8s.io": "ingresses/status",
    "policy": "poddisruptionbudgets/status",
}

Rule = dict[str, Any]


def _rule(group: str, resources: str, verbs: list[str]) -> Rule:
    return {"apiGroups": [group], "resources": resources.split(), "verbs": list(verbs)}


def _view() -> Iterator[Rule]:
    yield _rule("", _CORE_VIEW, _READ)
    for group in sorted({*_GROUPS, *_STATUSES}):
        yield _rule(group, f"{_GROUPS.get(group, '')} {_STATUSES.get(group, '')}", _READ)


def _edit(generation: Generation) -> Iterator[Rule]:
    yield from _view()
    # Endpoints left the role with 1.22 (CVE-2021-25740).
    endpoints = " endpoints" if generation.minor < 22 else ""
    yield _rule("", f"{_STREAMS} secrets services/proxy", _READ)
    yield _rule("", "serviceaccounts", ["impersonate"])
    yield _rule("", f"{_STREAMS} {_CORE_EDIT}{endpoints}", _WRITE)
    yield _rule("", "serviceaccounts/token", ["create"])
    for group, resources in _GROUPS.items():
        yield _rule(group, resources, _WRITE)


def _admin(generation: Generation) -> Iterator[Rule]:
    yield from _edit(generation)
    yield _rule("authorization.k8s.io", "localsubjectaccessreviews", ["create"])
    yield _rule("rbac.authorization.k8s.io", "rolebindings roles", _READ + _WRITE)


def user_facing_roles(generation: Generation) -> dict[str, list[Rule]]:
    """Name to rules."""
    return {
        "view": list(_view()),
        "edit": list(_edit(generation)),
        "admin": list(_admin(generation)),
    }
