"""What discovery reads of a cluster as a whole: version, identity, nodes, all pods."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec

from keptn_doctor.discover.reading import LOOK_S, attempt, record_failure
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import ClusterFacts, Nodes
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.cluster_facts import (
    dns_pods,
    nodes_fact,
    platform_of_nodes,
    read_cluster,
    read_version,
)
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.session import Session

_REFUSALS = frozenset({"forbidden", "not-found", "resource-not-served"})
_UNFINISHED = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeCluster:
    """One cluster; what could not be read is a Failure."""

    facts: ClusterFacts | Failure
    nodes: Nodes | Failure
    pods: tuple[k8s.Pod, ...] | Failure  # in full where they are wanted, else none
    reachable: bool = True

    @property
    def served_groups(self) -> tuple[str, ...]:
        return () if isinstance(self.facts, Failure) else self.facts.served_groups

    @property
    def platform(self) -> str:
        return "" if isinstance(self.facts, Failure) else self.facts.platform


Pods = tuple[k8s.Pod, ...] | tuple[k8s.PlacedPod, ...]
Version = k8s.VersionInfo | Failure


async def knock(
    session: Session, kube: KubeClient, *, subject: str
) -> tuple[Version, WholeCluster | None]:
    """What the cluster answers to the first question, and the end of it where that is no answer.

    A cluster that does not even tell its version is asked for nothing more; one that does is asked
    for everything else at once. ``subject`` is the plane or the control plane.
    """
    version = await attempt(read_version(kube))
    if not isinstance(version, Failure) or version.code in _REFUSALS:
        return version, None
    await record_failure(session, "cluster", subject, version)
    silent = WholeCluster(facts=version, nodes=version, pods=version, reachable=False)
    return version, silent


async def read_whole_cluster(
    session: Session, kube: KubeClient, version: Version, *, subject: str, pods_in_full: bool
) -> WholeCluster:
    """Read and record what a cluster is that has answered to ``knock``.

    Of all pods of a cluster only what they take from the nodes is read, unless ``pods_in_full``.
    """
    basics, listed, pods = await asyncio.gather(
        _basics(kube, version),
        attempt(kube.list("/api/v1/nodes", k8s.Node)),
        _pods(kube, in_full=pods_in_full),
    )
    looking = _facts(basics, listed, pods)
    facts = await session.recorder.look("cluster", subject, looking, deadline_s=LOOK_S)
    nodes = await session.recorder.look(
        "nodes", subject, _nodes(session, listed, pods), deadline_s=LOOK_S
    )
    kept = pods if isinstance(pods, Failure) else tuple(p for p in pods if isinstance(p, k8s.Pod))
    return WholeCluster(facts=facts, nodes=nodes, pods=kept)


async def _pods(kube: KubeClient, *, in_full: bool) -> Pods | Failure:
    path = "/api/v1/pods"
    if in_full:
        return await attempt(kube.list(path, k8s.Pod, _UNFINISHED))
    return await attempt(kube.list(path, k8s.PlacedPod, _UNFINISHED))


async def _basics(kube: KubeClient, version: Version) -> ClusterFacts | Failure:
    return version if isinstance(version, Failure) else await attempt(read_cluster(kube, version))


async def _facts(
    facts: ClusterFacts | Failure,
    nodes: tuple[k8s.Node, ...] | Failure,
    pods: Pods | Failure,
) -> ClusterFacts | Failure:
    if isinstance(facts, Failure):
        return facts
    if not facts.platform and not isinstance(nodes, Failure):
        facts = msgspec.structs.replace(facts, platform=platform_of_nodes(nodes))
    if isinstance(pods, Failure):
        return facts
    total, ready = dns_pods(pods)
    return msgspec.structs.replace(facts, dns_pods=total, dns_pods_ready=ready)


async def _nodes(
    session: Session,
    nodes: tuple[k8s.Node, ...] | Failure,
    pods: Pods | Failure,
) -> Nodes | Failure:
    if isinstance(nodes, Failure):
        return nodes
    listed = None if isinstance(pods, Failure) else pods
    return nodes_fact(nodes, listed, redactor=session.redactor)
