"""Puts what the clusters showed together: control plane, planes, endpoints, services, namesakes.

Pure: it reads nothing and decides nothing about health.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from keptn_doctor.discover.control_plane import FoundControlPlane
from keptn_doctor.discover.keptn_services import describe, namesakes
from keptn_doctor.discover.planes import FoundPlane, FoundService
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import ClusterFacts
from keptn_doctor.model.topology import (
    ControlPlane,
    Endpoint,
    ExecutionPlane,
    KeptnService,
    Topology,
)
from keptn_doctor.probes.endpoint_url import parse_endpoint, without_userinfo
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.targets import ClusterTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedCluster:
    """One cluster after its search; ``beside`` marks the control plane's own namespace."""

    target: ClusterTarget
    found: FoundPlane
    cluster: ClusterFacts | Failure | None = None
    kube: KubeClient | None = None
    beside: bool = False


_Cluster = ClusterFacts | Failure | None


def same_cluster(one: _Cluster, other: _Cluster) -> bool:
    """Whether two targets are known to be one cluster: by identity, or by address."""
    if not isinstance(one, ClusterFacts) or not isinstance(other, ClusterFacts):
        return False
    return one.server == other.server or bool(one.uid and one.uid == other.uid)


def build_topology(
    control: FoundControlPlane,
    planes: Iterable[SearchedCluster],
    *,
    salt: bytes,
    order: tuple[str, ...] = (),
    operator_endpoint: str = "",
) -> Topology:
    """The topology; a workload that two targets show is one Keptn service, of the first of them.

    ``planes`` come as they were found; ``order`` is that of the topology, by the targets' names.
    """
    drafts: list[tuple[KeptnService, FoundService]] = []
    listed: list[ExecutionPlane] = []
    seen: set[tuple[str, str, str, str]] = set()
    for plane in planes:
        own: list[KeptnService] = []
        for found in plane.found.services:
            identity = (_cluster_key(plane), *workload_key(found))
            if identity in seen:
                continue
            seen.add(identity)
            service = describe(
                found.workload,
                found.client,
                found.environment,
                plane=plane.target.name,
                salt=salt,
                control_plane_version=control.control_plane.version,
                service_environment=found.service_environment,
            )
            drafts.append((service, found))
            own.append(service)
        if not plane.beside or any(s.belongs_to == "execution-plane" for s in own):
            listed.append(_execution_plane(plane, control))
    place = {name: number for number, name in enumerate(order)}
    listed.sort(key=lambda plane: place.get(plane.name, len(place)))
    drafts.sort(key=lambda draft: place.get(draft[0].plane, len(place)))
    services = _with_namesakes(drafts)
    api_url = _api_url(operator_endpoint, control.endpoints, services)
    return Topology(
        control_plane=_control_plane(control, api_url),
        execution_planes=tuple(listed),
        endpoints=_endpoints(services, api_url),
        services=services,
    )


def workload_key(found: FoundService) -> tuple[str, str, str]:
    """Kind, namespace and name."""
    thing = found.workload.object
    return found.workload.kind, thing.namespace, thing.name


def _facts(cluster: _Cluster) -> ClusterFacts | None:
    return cluster if isinstance(cluster, ClusterFacts) else None


def _cluster_key(plane: SearchedCluster) -> str:
    facts = _facts(plane.cluster)
    return plane.target.name if facts is None else facts.uid or facts.server


def _execution_plane(plane: SearchedCluster, control: FoundControlPlane) -> ExecutionPlane:
    return ExecutionPlane(
        name=plane.target.name,
        context=plane.target.context,
        namespaces=plane.found.namespaces,
        all_namespaces=plane.found.all_namespaces,
        cluster_uid=_identity(_facts(plane.cluster), _facts(control.cluster)),
    )


def _identity(facts: ClusterFacts | None, control: ClusterFacts | None) -> str:
    """Comparable with the control plane's: "" where it cannot be told whether they are one."""
    if facts is None:
        return ""
    if control is None or (facts.uid and control.uid):
        return facts.uid
    return _own_identity(control) if facts.server == control.server else ""


def _own_identity(facts: ClusterFacts) -> str:
    return facts.uid or f"server:{facts.server}"


def _control_plane(control: FoundControlPlane, api_url: str) -> ControlPlane:
    facts = _facts(control.cluster)
    return msgspec.structs.replace(
        control.control_plane,
        api_url=api_url,
        cluster_uid=_own_identity(facts) if facts else "",
    )


def _with_namesakes(
    drafts: list[tuple[KeptnService, FoundService]],
) -> tuple[KeptnService, ...]:
    nodes = {service.subject: found.nodes for service, found in drafts}
    active = frozenset(service.subject for service, found in drafts if _is_wanted(found))
    services = [service for service, _ in drafts]
    twins = namesakes(services, nodes, active)
    return tuple(
        msgspec.structs.replace(
            service,
            namesakes=twins.get(service.subject, ()),
            node_names=tuple(sorted(nodes[service.subject])),
        )
        for service in services
    )


def _is_wanted(found: FoundService) -> bool:
    """A workload that is scaled to zero keeps no registration alive."""
    spec = found.workload.object.spec
    return spec is None or spec.replicas != 0


def _api_url(
    operator_endpoint: str, derived: tuple[str, ...], services: Iterable[KeptnService]
) -> str:
    """What the operator named; else a promise of the exposure, one that services use if any."""
    if operator_endpoint:
        return without_userinfo(operator_endpoint)
    used = {service.endpoint.rstrip("/") for service in services}
    return next((url for url in derived if url in used), derived[0] if derived else "")


def _endpoints(services: Iterable[KeptnService], api_url: str) -> tuple[Endpoint, ...]:
    users: dict[str, list[str]] = defaultdict(list)
    for service in services:
        if service.endpoint:
            users[service.endpoint].append(service.subject)
    urls = dict.fromkeys((*((api_url,) if api_url else ()), *users))
    return tuple(
        parse_endpoint(url, services=tuple(users[url]), used_by_operator=url == api_url)
        for url in urls
    )
