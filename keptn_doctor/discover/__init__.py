"""The first round of looking: what there is, and what each Keptn service is told to do.

Reads Kubernetes only. It returns the topology and leaves facts and failures in the session's
recorder; it judges nothing, and no missing right ends it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from keptn_doctor.discover.cluster import WholeCluster, beside_the_knock, read_whole_cluster
from keptn_doctor.discover.control_plane import FoundControlPlane, find_control_plane
from keptn_doctor.discover.planes import (
    FoundPlane,
    find_plane,
    record_namespaces,
    record_workloads,
)
from keptn_doctor.discover.reading import LOOK_S, guarded, record_failure
from keptn_doctor.discover.topology import (
    SearchedCluster,
    build_topology,
    same_cluster,
    workload_key,
)
from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import NetworkPolicies
from keptn_doctor.model.topology import ControlPlane, Topology
from keptn_doctor.probes.cluster_facts import read_cluster
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.networkpolicies import policies_on, read_policies, sidecars
from keptn_doctor.probes.rights import review_rights
from keptn_doctor.rights.needed import Role
from keptn_doctor.session import Session
from keptn_doctor.targets import ClusterTarget

_SHARE = 0.4  # of the run's time limit, for the search of one cluster
# How much longer than the faster half of them a cluster may take before the others go on without it
_PATIENCE, _PATIENCE_S = 0.5, 0.5

Rest = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is, how to read the rest, and what is still being searched.

    ``rest`` is what only judgements need: namespaces, policies, the operator's rights. No look
    hangs on it, so whoever looks further can do so meanwhile. ``late`` comes with the clusters that
    took much longer than the others; its topology is the whole one.
    """

    topology: Topology
    rest: Rest
    late: asyncio.Task[Found] | None = None


async def discover(session: Session) -> Topology:
    """Everything that the targets hold, as far as the rights at hand let it be seen."""
    found = await find(session)
    await found.rest()
    if found.late is None:
        return found.topology
    late = await found.late
    await late.rest()
    return late.topology


async def find(session: Session) -> Found:
    """Everything that the targets hold; a slow or dead cluster keeps nobody from the others."""
    searches = [
        asyncio.ensure_future(_search(session, plane)) for plane in session.targets.execution_planes
    ]
    try:
        control, _ = await asyncio.gather(_control_plane(session), _in_good_time(searches))
        api = session.targets.api
        if control.objects is None and not (api and api.endpoint):
            await asyncio.gather(*searches)  # all of them tell where the Keptn API is
        done = [search.result() for search in searches if search.done()]
        beside = await guarded(
            session,
            "namespace",
            control.control_plane.subject,
            _beside_control_plane(session, control, done),
            otherwise=None,
            limit_s=_limit(session),
        )
    except BaseException:
        for search in searches:
            search.cancel()
        raise
    extra = (beside,) if beside else ()
    topology = _topology(session, control, (*done, *extra))
    await _record_found(session, (*done, *extra), topology)

    async def rest() -> None:
        await asyncio.gather(
            _record_rest(session, (*done, *extra), topology),
            _kept(session, topology, _record_control_plane(session, control, beside)),
        )

    async def late() -> Found:
        planes = await asyncio.gather(*searches)
        whole = _topology(session, control, (*planes, *extra))
        new = tuple(plane for plane in planes if plane not in done)
        await _record_found(session, new, whole)
        return Found(topology=whole, rest=lambda: _record_rest(session, new, whole))

    waiting = asyncio.ensure_future(late()) if len(done) < len(searches) else None
    return Found(topology=topology, rest=rest, late=waiting)


async def _in_good_time(searches: Collection[asyncio.Future[SearchedCluster]]) -> None:
    """Wait until all are done, but for those that take much longer than half of them took."""
    clock = asyncio.get_running_loop().time
    began, pending = clock(), set(searches)
    while 2 * len(pending) > len(searches):
        _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    if pending:
        await asyncio.wait(pending, timeout=max(_PATIENCE_S, _PATIENCE * (clock() - began)))


def _topology(
    session: Session, control: FoundControlPlane, planes: Iterable[SearchedCluster]
) -> Topology:
    api = session.targets.api
    return build_topology(
        control, planes, salt=session.salt, operator_endpoint=api.endpoint if api else ""
    )


async def _record_found(
    session: Session, planes: Iterable[SearchedCluster], topology: Topology
) -> None:
    for plane in planes:
        await record_workloads(session, _own(plane, topology), subjects=_subjects(plane, topology))


async def _record_rest(
    session: Session, planes: Iterable[SearchedCluster], topology: Topology
) -> None:
    async with asyncio.TaskGroup() as group:
        for plane in planes:
            if plane.kube is not None:
                recording = _record_plane(session, plane, plane.kube, topology)
                subject = plane.target.name
                group.create_task(guarded(session, "namespace", subject, recording, otherwise=None))


async def _kept(session: Session, topology: Topology, recording: Awaitable[None]) -> None:
    subject = topology.control_plane.subject
    await guarded(session, "namespace", subject, recording, otherwise=None)


async def _control_plane(session: Session) -> FoundControlPlane:
    target = session.targets.control_plane
    if target is not None:
        plane = ControlPlane(name=target.name, context=target.context)
        with session.recorder.span(f"search/{plane.subject}"):
            return await guarded(
                session,
                "gateway-service",
                plane.subject,
                find_control_plane(session, target),
                otherwise=FoundControlPlane(control_plane=plane),
                limit_s=_limit(session),
            )
    plane = ControlPlane()
    session.recorder.skip(
        NotAttempted(
            probe="gateway-service",
            subject=plane.subject,
            reason="no cluster was named as the control plane's",
            unlock="--control-plane CONTEXT",
        )
    )
    return FoundControlPlane(control_plane=plane)


def _limit(session: Session) -> float:
    """One slow cluster must not take the time of all others, nor that of the second round."""
    if session.budget is not None:
        return session.budget.search_s
    return _SHARE * session.targets.deadlines.run_s


async def _search(session: Session, target: ClusterTarget) -> SearchedCluster:
    nothing = SearchedCluster(target=target, found=FoundPlane(namespaces=target.namespaces))
    with session.recorder.span(f"search/{target.name}"):
        return await guarded(
            session,
            "namespace",
            target.name,
            _search_cluster(session, target),
            otherwise=nothing,
            limit_s=_limit(session),
        )


async def _search_cluster(session: Session, target: ClusterTarget) -> SearchedCluster:
    nothing = FoundPlane(namespaces=target.namespaces)
    kube = await session.kube(target.name)
    if isinstance(kube, Failure):
        await record_failure(session, "cluster", target.name, kube)
        return SearchedCluster(target=target, found=nothing)
    reading = _searched(session, target, kube)
    told = await beside_the_knock(session, kube, reading, subject=target.name)
    if isinstance(told, WholeCluster):
        return SearchedCluster(target=target, found=nothing, cluster=told)
    return told


async def _searched(session: Session, target: ClusterTarget, kube: KubeClient) -> SearchedCluster:
    # The search has the longer chain of questions, so it goes first where both wait for a turn.
    found, cluster = await asyncio.gather(
        find_plane(session, kube, subject=target.name, namespaces=target.namespaces),
        read_whole_cluster(
            session, kube, read_cluster(kube), subject=target.name, pods_in_full=False
        ),
    )
    return SearchedCluster(target=target, found=found, cluster=cluster, kube=kube)


async def _beside_control_plane(
    session: Session, control: FoundControlPlane, planes: Iterable[SearchedCluster]
) -> SearchedCluster | None:
    """Keptn services in the control plane's own namespace, unless a plane covers it already."""
    target, namespace = session.targets.control_plane, control.control_plane.namespace
    if target is None or not namespace or control.objects is None:
        return None
    for plane in planes:
        covered = plane.found.all_namespaces or namespace in plane.found.namespaces
        if covered and same_cluster(control.cluster, plane.cluster):
            return None
    kube = await session.kube(target.name)
    if isinstance(kube, Failure):
        return None
    found = await find_plane(
        session,
        kube,
        subject=control.control_plane.subject,
        namespaces=(namespace,),
        known={namespace: control.objects},
        workloads=control.workloads,
    )
    return SearchedCluster(
        target=target, found=found, cluster=control.cluster, kube=kube, beside=True
    )


def _subjects(plane: SearchedCluster, topology: Topology) -> dict[tuple[str, str, str], str]:
    return {
        (s.workload_kind, s.namespace, s.name): s.subject
        for s in topology.services
        if s.plane == plane.target.name
    }


def _own(plane: SearchedCluster, topology: Topology) -> FoundPlane:
    """What was found in a cluster, with the services that the topology counts as its own."""
    subjects = _subjects(plane, topology)
    own = tuple(s for s in plane.found.services if workload_key(s) in subjects)
    return dataclasses.replace(plane.found, services=own)


async def _record_plane(
    session: Session, plane: SearchedCluster, kube: KubeClient, topology: Topology
) -> None:
    """The facts about a plane's namespaces and policies, and the operator's rights."""
    name = plane.target.name
    found, subjects = _own(plane, topology), _subjects(plane, topology)
    if not any(p.name == name for p in topology.execution_planes):
        return
    async with asyncio.TaskGroup() as group:
        group.create_task(record_namespaces(session, kube, found, subject=name))
        group.create_task(_record_policies(session, kube, found, name, subjects))
        group.create_task(_record_rights(session, kube, name, "execution-plane", found.namespaces))


async def _record_policies(
    session: Session,
    kube: KubeClient,
    found: FoundPlane,
    subject: str,
    subjects: dict[tuple[str, str, str], str],
) -> None:
    looking = _policies(kube, found, subjects)
    await session.recorder.look("network-policies", subject, looking, deadline_s=LOOK_S)


async def _policies(
    kube: KubeClient, found: FoundPlane, subjects: dict[tuple[str, str, str], str]
) -> NetworkPolicies:
    namespaces = sorted({service.workload.object.namespace for service in found.services})
    listed = await asyncio.gather(*(read_policies(kube, name) for name in namespaces))
    labels = {
        subjects[workload_key(service)]: (
            service.workload.object.namespace,
            service.workload.template.labels,
        )
        for service in found.services
    }
    return NetworkPolicies(
        policies=policies_on([item for items in listed for item in items], labels),
        mesh=sidecars(pod for service in found.services for pod in service.pods),
    )


async def _record_control_plane(
    session: Session, control: FoundControlPlane, beside: SearchedCluster | None
) -> None:
    target, plane = session.targets.control_plane, control.control_plane
    if target is None or control.objects is None:
        return
    kube = await session.kube(target.name)
    if isinstance(kube, Failure):
        return
    found = FoundPlane(
        namespaces=(plane.namespace,),
        services=beside.found.services if beside else (),
        objects={plane.namespace: control.objects},
    )
    await asyncio.gather(
        record_namespaces(session, kube, found, subject=plane.subject),
        _record_rights(session, kube, plane.subject, "control-plane", (plane.namespace,)),
        *((control.rest(),) if control.rest else ()),
    )


async def _record_rights(
    session: Session, kube: KubeClient, subject: str, role: Role, namespaces: tuple[str, ...]
) -> None:
    looking = review_rights(kube, role=role, namespaces=namespaces, active=session.targets.active)
    await session.recorder.look("rights", subject, looking, deadline_s=LOOK_S)
