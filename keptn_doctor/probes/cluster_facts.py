"""What a cluster is: version, identity, distribution, nodes and how full they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import ClusterFacts, Nodes, NodeState
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pods import conditions, requested
from keptn_doctor.probes.quantities import mebibytes, millicores
from keptn_doctor.redact import Redactor

_BY_VERSION = {"+k3s": "k3s", "-gke.": "gke", "-eks-": "eks", "+rke2": "rke2"}
_BY_SERVER = {".azmk8s.io": "aks", ".eks.amazonaws.com": "eks"}
_BY_PROVIDER = {"azure://": "aks", "kind://": "kind", "gce://": "gke", "k3s://": "k3s"}


async def read_cluster(kube: KubeClient) -> ClusterFacts | Failure:
    """Version, identity and served API groups of a cluster; a Failure when it hides the version.

    The identity is the uid of the namespace kube-system, the usual stand-in for the cluster id that
    Kubernetes does not have; "" when that may not be read.
    """
    version, groups, uid = await asyncio.gather(kube.knock(), _served_groups(kube), _uid(kube))
    if isinstance(version, Failure):
        return version
    parts = urlsplit(kube.access.server)
    git_version = version.git_version or ""
    minor = (version.minor or "").rstrip("+")
    return ClusterFacts(
        version=f"{version.major}.{minor}" if version.major and minor else "",
        git_version=git_version,
        platform=_platform(git_version, parts.hostname or "", groups),
        uid=uid,
        server=f"{parts.hostname or ''}:{parts.port or 443}",
        served_groups=groups,
    )


async def _served_groups(kube: KubeClient) -> tuple[str, ...]:
    try:
        listed = await kube.get("/apis", k8s.ApiGroupList)
    except WorldFault:
        return ()
    return tuple(
        version.group_version
        for group in listed.groups or ()
        for version in group.versions or ()
        if version.group_version
    )


async def _uid(kube: KubeClient) -> str:
    try:
        return (await kube.get("/api/v1/namespaces/kube-system", k8s.Namespace)).uid
    except WorldFault:
        return ""


def _platform(git_version: str, server: str, groups: Iterable[str]) -> str:
    if any(group.startswith("config.openshift.io/") for group in groups):
        return "openshift"
    for mark, name in _BY_VERSION.items():
        if mark in git_version:
            return name
    return next((name for end, name in _BY_SERVER.items() if server.endswith(end)), "")


def platform_of_nodes(nodes: Iterable[k8s.Node]) -> str:
    """The distribution that nodes give away where the version does not."""
    for node in nodes:
        if "minikube.k8s.io/name" in node.labels:
            return "minikube"
        provider = (node.spec and node.spec.provider_id) or ""
        for start, name in _BY_PROVIDER.items():
            if provider.startswith(start):
                return name
    return ""


AnyPod = k8s.Pod | k8s.PlacedPod


def dns_pods(pods: Iterable[AnyPod]) -> tuple[int, int]:
    """How many pods the cluster's own DNS has, and how many of them are ready.

    CoreDNS and kube-dns carry one label everywhere but on OpenShift, whose operator has its own.
    """
    found = [pod for pod in pods if _is_dns(pod)]
    return len(found), sum(1 for pod in found if _is_ready(pod))


def _is_dns(pod: AnyPod) -> bool:
    labels = pod.labels
    return labels.get("k8s-app") in {"kube-dns", "coredns"} or (
        labels.get("dns.operator.openshift.io/daemonset-dns") == "default"
    )


def _is_ready(pod: AnyPod) -> bool:
    states = (pod.status and pod.status.conditions) or []
    return any(state.type == "Ready" and state.status == "True" for state in states)


def nodes_fact(
    nodes: Iterable[k8s.Node], pods: Iterable[AnyPod] | None, *, redactor: Redactor
) -> Nodes:
    """The nodes with what all pods of the cluster request; ``pods`` None = not all listable."""
    cpu, memory = (None, None) if pods is None else requested(pods)
    return Nodes(
        nodes=tuple(_node(node, redactor) for node in nodes),
        requested_cpu_m=cpu,
        requested_memory_mi=memory,
    )


def _node(node: k8s.Node, redactor: Redactor) -> NodeState:
    spec, status = node.spec or k8s.NodeSpec(), node.status or k8s.NodeStatus()
    info, room = status.node_info or k8s.NodeInfo(), status.allocatable or {}
    states = conditions(status.conditions, redactor)
    return NodeState(
        name=node.name,
        ready=any(c.type == "Ready" and c.status == "True" for c in states),
        architecture=info.architecture or "",
        os=info.operating_system or "",
        kubelet_version=info.kubelet_version or "",
        allocatable_cpu_m=millicores(room.get("cpu")),
        allocatable_memory_mi=mebibytes(room.get("memory")),
        internal_addresses=_addresses(status, "InternalIP"),
        external_addresses=_addresses(status, "ExternalIP"),
        conditions=states,
        taints=tuple(_taint(t) for t in spec.taints or ()),
    )


def _addresses(status: k8s.NodeStatus, kind: str) -> tuple[str, ...]:
    return tuple(a.address for a in status.addresses or () if a.type == kind and a.address)


def _taint(taint: k8s.Taint) -> str:
    value = f"={taint.value}" if taint.value else ""
    return f"{taint.key or ''}{value}:{taint.effect or ''}"
