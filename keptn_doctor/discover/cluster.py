"""What discovery reads of a cluster as a whole: version, identity, nodes, all pods."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine
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


Pods = tuple[k8s.Pod, ...] | tuple[k8s.PlacedPod, ...]
ListedNodes = tuple[k8s.Node, ...] | Failure
T = TypeVar("T")


async def beside_the_knock(
    session: Session, kube: KubeClient, reading: Coroutine[Any, Any, T], *, subject: str
) -> T | Failure:
    """What ``reading`` gives, or why the cluster does not tell its version.

    The first requests of ``reading`` go together with the one for the version. It is given up, and
    nothing of it is recorded, when that one has no answer: such a cluster is left alone.
    ``subject`` is the plane or the control plane.
    """
    knock = asyncio.ensure_future(kube.knock())
    piece = asyncio.ensure_future(reading)
    try:
        version = await knock
        if not isinstance(version, Failure) or version.code in _REFUSALS:
            kube.go_on()
            return await piece
    finally:
        if not piece.done():
            piece.cancel()
            await asyncio.wait({piece})
        kube.go_on()
    await record_failure(session, "cluster", subject, version)
    return version


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeCluster:
    """What was read of one cluster as a whole; what could not be read is a Failure."""

    facts: ClusterFacts | Failure
    pods: tuple[k8s.Pod, ...] | Failure  # in full where they are wanted, else none


async def record_whole_cluster(
    session: Session,
    kube: KubeClient,
    facts: ClusterFacts | Failure,
    *,
    subject: str,
    pods_in_full: bool,
    nodes: ListedNodes | None = None,
) -> WholeCluster:
    """Read and record what only judgements need: nodes, and what all pods take from them.

    ``facts`` are those of ``read_cluster``; ``nodes`` that were listed before are not listed again.
    Of the pods only what they take from the nodes is read, unless ``pods_in_full``.
    """
    lists = _Lists(nodes=nodes)
    look = functools.partial(session.recorder.look, deadline_s=LOOK_S)
    await look("nodes", subject, _nodes(session, kube, lists, in_full=pods_in_full))
    whole = await look("cluster", subject, _facts(facts, lists))
    pods = lists.pods
    kept = pods if isinstance(pods, Failure) else tuple(p for p in pods if isinstance(p, k8s.Pod))
    return WholeCluster(facts=whole, pods=kept)


_NOT_LISTED = Failure(
    phase="deadline", code="deadline-exceeded", detail="the pods of the cluster were not listed"
)


@dataclass(slots=True, kw_only=True)
class _Lists:
    """What was listed, as far as it came to that."""

    nodes: ListedNodes | None = None
    pods: Pods | Failure = _NOT_LISTED


async def _nodes(session: Session, kube: KubeClient, lists: _Lists, *, in_full: bool) -> (
    Nodes | Failure
):  # fmt: skip
    async with asyncio.TaskGroup() as group:
        pods = group.create_task(_pods(kube, in_full=in_full))
        if lists.nodes is None:
            lists.nodes = await list_nodes(kube)
        lists.pods = await pods
    if isinstance(lists.nodes, Failure):
        return lists.nodes
    listed = None if isinstance(lists.pods, Failure) else lists.pods
    return nodes_fact(lists.nodes, listed, redactor=session.redactor)


async def list_nodes(kube: KubeClient) -> ListedNodes:
    """All nodes of the cluster."""
    return await attempt(kube.list("/api/v1/nodes", k8s.Node))


async def _pods(kube: KubeClient, *, in_full: bool) -> Pods | Failure:
    path = "/api/v1/pods"
    if in_full:
        return await attempt(kube.list(path, k8s.Pod, _UNFINISHED))
    return await attempt(kube.list(path, k8s.PlacedPod, _UNFINISHED))


async def _facts(facts: ClusterFacts | Failure, lists: _Lists) -> ClusterFacts | Failure:
    if isinstance(facts, Failure):
        return facts
    if not facts.platform and isinstance(lists.nodes, tuple):
        facts = msgspec.structs.replace(facts, platform=platform_of_nodes(lists.nodes))
    if isinstance(lists.pods, Failure):
        return facts
    total, ready = dns_pods(lists.pods)
    return msgspec.structs.replace(facts, dns_pods=total, dns_pods_ready=ready)
