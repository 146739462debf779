"""What discovery reads of a cluster as a whole: version, identity, nodes, all pods."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from keptn_doctor.discover.reading import LOOK_S, attempt, record_failure
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import ClusterFacts, Nodes
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.cluster_facts import (
    dns_pods,
    nodes_fact,
    platform_of_nodes,
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
T = TypeVar("T")


async def beside_the_knock(
    session: Session, kube: KubeClient, reading: Coroutine[Any, Any, T], *, subject: str
) -> T | WholeCluster:
    """What ``reading`` gives, or all that is known of a cluster that does not tell its version.

    The first requests of ``reading`` go together with the one for the version. It is given up, and
    nothing of it is recorded, when that one has no answer: such a cluster is left alone.
    ``subject`` is the plane or the control plane.
    """
    knock = asyncio.ensure_future(kube.knock())
    piece = asyncio.ensure_future(reading)
    try:
        version = await knock
        if not isinstance(version, Failure) or version.code in _REFUSALS:
            return await piece
    finally:
        if not piece.done():
            piece.cancel()
            await asyncio.wait({piece})
    await record_failure(session, "cluster", subject, version)
    return WholeCluster(facts=version, nodes=version, pods=version, reachable=False)


async def read_whole_cluster(
    session: Session,
    kube: KubeClient,
    basics: Awaitable[ClusterFacts | Failure],
    *,
    subject: str,
    pods_in_full: bool,
) -> WholeCluster:
    """Read and record what a cluster is; ``basics`` are those of ``read_cluster``.

    Of all pods of a cluster only what they take from the nodes is read, unless ``pods_in_full``.
    """
    listed, pods, found = await asyncio.gather(
        attempt(kube.list("/api/v1/nodes", k8s.Node)), _pods(kube, in_full=pods_in_full), basics
    )
    looking = _facts(found, listed, pods)
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
