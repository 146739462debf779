"""What a fresh API server creates for itself.

That is: the system namespaces, the ``kubernetes`` Service, the ClusterRoles and bindings that let
everybody read versions, health and discovery (the rules of the two recorded rules reviews), and the
roles view, edit and admin. They are ordinary objects: a scenario may remove a binding, and then
anonymous requests to /version are refused as they would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.objects import Object
from keptn_doctor.lab.kube.roles import user_facing_roles

_RBAC = "rbac.authorization.k8s.io"
_VERSION = f"{_RBAC}/v1"
_SYSTEM = ("default", "kube-node-lease", "kube-public", "kube-system")
_HEALTH = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi"]
_DISCOVERY += ["/openapi/*", "/readyz", "/version", "/version/"]


def _role(name: str, *rules: dict[str, Any]) -> Object:
    return {
        "apiVersion": _VERSION,
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "rules": list(rules),
    }


def _binding(name: str, *groups: str) -> Object:
    return {
        "apiVersion": _VERSION,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": group} for group in groups],
    }


def _paths(paths: list[str]) -> dict[str, Any]:
    return {"nonResourceURLs": list(paths), "verbs": ["get"]}


def _resources(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _roles(generation: Generation) -> Iterator[Object]:
    reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
    basic = [_resources("authorization.k8s.io", reviews, ["create"])]
    if generation.minor >= 28:
        basic.append(_resources("authentication.k8s.io", ["selfsubjectreviews"], ["create"]))
    everything = [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ]
    yield _role("cluster-admin", *everything)
    yield _binding("cluster-admin", "system:masters")
    yield _role("system:basic-user", *basic)
    yield _binding("system:basic-user", "system:authenticated")
    yield _role("system:discovery", _paths(_DISCOVERY))
    yield _binding("system:discovery", "system:authenticated")
    yield _role("system:public-info-viewer", _paths(_HEALTH))
    yield _binding("system:public-info-viewer", "system:authenticated", "system:unauthenticated")
    for name, rules in user_facing_roles(generation).items():
        yield _role(name, *rules)
    if generation.is_new:
        issuer = "system:service-account-issuer-discovery"
        yield _role(issuer, _paths(["/.well-known", "/.well-known/*"]))
        yield _binding(issuer, "system:authenticated")


def bootstrap_objects(generation: Generation) -> Iterator[Object]:
    """The objects of an empty cluster, in the order in which they must be created."""
    for name in _SYSTEM:
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": "10.96.0.1",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        },
    }
    yield from _roles(generation)
