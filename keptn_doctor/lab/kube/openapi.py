"""A skeleton of /openapi/v3: that objects can be patched and which parameters that takes.

kubectl reads it before ``apply`` to learn whether the server validates fields. There are no
schemas: ``kubectl explain`` has nothing to show, and the server takes any field. /openapi/v2 (which
kubectl needs on servers before 1.27) is not there; use ``apply --validate=false`` with those.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from keptn_doctor.lab.kube.cluster import Cluster
from keptn_doctor.lab.kube.negotiation import answer
from keptn_doctor.lab.kube.resources import Resource
from keptn_doctor.lab.kube.status import page_not_found

_ROOT = "/openapi/v3"
_SINCE = 27
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")


def openapi_answer(cluster: Cluster, path: str) -> web.Response | None:
    """The index or one group version's document; None for other paths."""
    path = path.rstrip("/")
    if path != _ROOT and not path.startswith(f"{_ROOT}/"):
        return None
    if cluster.generation.minor < _SINCE:
        raise page_not_found()
    prefixes = {_prefix(resource): resource for resource in cluster.catalogue}
    if path == _ROOT:
        paths = {name: {"serverRelativeURL": f"{_ROOT}/{name}"} for name in prefixes}
        return answer({"paths": paths})
    found = prefixes.get(path.removeprefix(f"{_ROOT}/"))
    if found is None:
        raise page_not_found()
    resources = cluster.catalogue.in_group_version(found.group, found.version)
    info = {"title": "Kubernetes", "version": f"v{cluster.generation.text}.2"}
    paths = dict(_operations(resource) for resource in resources if "patch" in resource.verbs)
    return answer({"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}})


def _prefix(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"


def _operations(resource: Resource) -> tuple[str, dict[str, Any]]:
    scope = "/namespaces/{namespace}" if resource.namespaced else ""
    patch = {
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for name in _PARAMETERS
        ],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": {
            "group": resource.group,
            "version": resource.version,
            "kind": resource.kind,
        },
    }
    return f"/{_prefix(resource)}{scope}/{resource.name}/{{name}}", {"patch": patch}
