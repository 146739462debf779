"""Which groups, versions and resources there are: the legacy documents and the aggregated one.

Legacy: /api, /apis, /api/v1, /apis/GROUP and /apis/GROUP/VERSION. Aggregated (from 1.27): /api and
/apis as ``APIGroupDiscoveryList``, when the client asks for it; kubectl does.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from keptn_doctor.lab.kube.cluster import Cluster
from keptn_doctor.lab.kube.negotiation import answer, clauses, negotiate
from keptn_doctor.lab.kube.resources import Resource
from keptn_doctor.lab.kube.status import no_such_resource, page_not_found

_AGGREGATED = "APIGroupDiscoveryList"


def discovery_answer(cluster: Cluster, path: str, accept: str, host: str) -> web.Response | None:
    """The document behind a path, or None when the path is not one of discovery's."""
    parts = path.strip("/").split("/")
    if parts[0] not in {"api", "apis"} or len(parts) > 3:
        return None
    if len(parts) == 1:
        version = _aggregated_version(cluster, accept)
        if version:
            return _aggregated(cluster, version, core=parts[0] == "api")
    media = negotiate(accept, cluster.generation).media
    return answer(_document(cluster, parts, host), media=media)


def _document(cluster: Cluster, parts: list[str], host: str) -> dict[str, Any]:
    if parts == ["api"]:
        address = [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}]
        body = {"kind": "APIVersions", "versions": ["v1"]}
        return {**body, "serverAddressByClientCIDRs": address}
    if parts == ["apis"]:
        groups = [_group(name, versions) for name, versions in cluster.catalogue.groups().items()]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    if parts[0] == "apis" and len(parts) == 2:
        found = cluster.catalogue.groups().get(parts[1])
        if found is None:
            raise page_not_found()
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], found)}
    group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
    if len(parts) == 3 and parts[0] == "api":
        raise no_such_resource()
    return resource_list(cluster, group, version)


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resource_list(cluster: Cluster, group: str, version: str) -> dict[str, Any]:
    resources = cluster.catalogue.in_group_version(group, version)
    if not resources:
        raise no_such_resource() if cluster.catalogue.has_group(group) else page_not_found()
    singular = cluster.generation.has_singular_names or bool(resources[0].custom)
    lines: list[dict[str, Any]] = []
    for resource in sorted(resources, key=lambda r: r.name):
        lines += _lines(resource, singular=singular)
    body: dict[str, Any] = {"kind": "APIResourceList"}
    if group:
        body["apiVersion"] = "v1"
    return {**body, "groupVersion": resources[0].api_version, "resources": lines}


def _lines(resource: Resource, *, singular: bool) -> list[dict[str, Any]]:
    line: dict[str, Any] = {
        "name": resource.name,
        "singularName": resource.singular_name if singular else "",
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        line["shortNames"] = list(resource.short_names)
    if resource.categories:
        line["categories"] = list(resource.categories)
    if resource.storage_hash:
        line["storageVersionHash"] = resource.storage_hash
    lines = [line]
    for sub in resource.subresources:
        foreign = {"group": sub.group, "version": sub.version} if sub.version else {}
        lines.append(
            {
                "name": f"{resource.name}/{sub.name}",
                "singularName": "",
                "namespaced": resource.namespaced,
                **foreign,
                "kind": sub.kind or resource.kind,
                "verbs": list(sub.verbs),
            }
        )
    return lines


def _aggregated_version(cluster: Cluster, accept: str) -> str:
    for clause in clauses(accept):
        wanted = clause.parameters
        if clause.media != "application/json":
            continue
        if not wanted:
            return ""
        if wanted.get("as") == _AGGREGATED and wanted.get("g") == "apidiscovery.k8s.io":
            version = wanted.get("v", "")
            if version in cluster.generation.aggregated_discovery:
                return version
    return ""


def _aggregated(cluster: Cluster, version: str, *, core: bool) -> web.Response:
    groups = {"": ["v1"]} if core else cluster.catalogue.groups()
    items = []
    for name, versions in groups.items():
        listed = [_aggregated_group_version(cluster, name, v) for v in versions]
        meta: dict[str, Any] = {"name": name} if name else {}
        if not cluster.generation.drops_null_creation_time:
            meta["creationTimestamp"] = None
        items.append({"metadata": meta, "versions": listed})
    body = {
        "kind": _AGGREGATED,
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }
    media = f"application/json;g=apidiscovery.k8s.io;v={version};as={_AGGREGATED}"
    return answer(body, headers={"Content-Type": media})


def _aggregated_group_version(cluster: Cluster, group: str, version: str) -> dict[str, Any]:
    resources = cluster.catalogue.in_group_version(group, version)
    lines = [_aggregated_resource(r) for r in sorted(resources, key=lambda r: r.name)]
    return {"version": version, "resources": lines, "freshness": "Current"}


def _kind(group: str, version: str, kind: str) -> dict[str, str]:
    return {"group": group, "version": version, "kind": kind}


def _aggregated_resource(resource: Resource) -> dict[str, Any]:
    line: dict[str, Any] = {
        "resource": resource.name,
        "responseKind": _kind(resource.group, resource.version, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular_name,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        line["shortNames"] = list(resource.short_names)
    if resource.categories:
        line["categories"] = list(resource.categories)
    subresources = []
    for sub in resource.subresources:
        group = sub.group if sub.version else resource.group
        kind = _kind(group, sub.version or resource.version, sub.kind or resource.kind)
        subresources.append(
            {"subresource": sub.name, "responseKind": kind, "verbs": list(sub.verbs)}
        )
    if subresources:
        line["subresources"] = subresources
    return line
