"""The first round of looking: what there is, and what each Keptn service is told to do.

Reads Kubernetes only. It returns the topology and leaves facts and failures in the session's
recorder; it judges nothing, and no missing right ends it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from keptn_doctor.discover.cluster import beside_the_knock, record_whole_cluster
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
# How much longer than the others so far clusters may take before those go on without them
_PATIENCE, _PATIENCE_S = 0.15, 0.05

Rest = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is so far, how to read the rest of it, and what is still being searched.

    ``rest`` is what only judgements need: namespaces, policies, the operator's rights. No look
    hangs on it, so whoever looks further can do so meanwhile. ``late`` comes with the next clusters
    whose search has ended; its topology holds those before them as well.
    """

    topology: Topology
    rest: Rest
    late: asyncio.Task[Found] | None = None


async def discover(session: Session) -> Topology:
    """Everything that the targets hold, as far as the rights at hand let it be seen."""
    found = await find(session)
    await found.rest()
    while found.late is not None:
        found = await found.late
        await found.rest()
    return found.topology


async def find(session: Session) -> Found:
    """What the targets hold, as it is found: a slow or dead plane keeps nobody from the others.

    Whatever else is found comes with or after the control plane: most looks hang on what it tells.
    """
    first = asyncio.ensure_future(_control_plane(session))
    search = _Search(session)
    try:
        return await search.begin(await first)
    except BaseException:
        first.cancel()
        search.cancel()
        raise


class _Search:
    """The planes that are searched side by side, and those that were told of so far."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._began = asyncio.get_running_loop().time()
        self._searches = {
            plane: asyncio.ensure_future(_search(session, plane))
            for plane in session.targets.execution_planes
        }
        self._told: list[SearchedCluster] = []
        self._beside: tuple[SearchedCluster, ...] = ()
        self._control = FoundControlPlane(control_plane=ControlPlane())
        api = session.targets.api
        self._endpoint = api.endpoint if api else ""

    def cancel(self) -> None:
        """Give up what is still being searched."""
        for search in self._searches.values():
            search.cancel()

    async def begin(self, control: FoundControlPlane) -> Found:
        """The control plane, and the planes that were as fast or nearly so."""
        self._control = control
        if control.objects is None and not self._endpoint and self._searches:
            await asyncio.wait(self._searches.values())  # all of them tell where the Keptn API is
        elif at_home := self._at_home():
            await asyncio.wait(at_home)  # they tell whether the control plane's namespace is theirs
        planes = await self._next()
        beside = await guarded(
            self._session,
            "namespace",
            control.control_plane.subject,
            _beside_control_plane(self._session, control, planes),
            otherwise=None,
            limit_s=_limit(self._session),
        )
        self._beside = (beside,) if beside else ()
        found = await self._found(planes, self._beside)

        async def rest() -> None:
            recording = _record_control_plane(self._session, control, beside)
            await asyncio.gather(found.rest(), _kept(self._session, control, recording))

        return dataclasses.replace(found, rest=rest)

    def _at_home(self) -> list[asyncio.Future[SearchedCluster]]:
        home = self._session.targets.control_plane
        return [
            search
            for plane, search in self._searches.items()
            if home and self._session.context_of(plane) == self._session.context_of(home)
        ]

    async def _later(self) -> Found:
        try:
            return await self._found(await self._next())
        except BaseException:
            self.cancel()
            raise

    async def _found(
        self, planes: list[SearchedCluster], beside: tuple[SearchedCluster, ...] = ()
    ) -> Found:
        self._told += planes
        topology = build_topology(
            self._control,
            (*self._told, *self._beside),
            order=tuple(plane.name for plane in self._searches),
            salt=self._session.salt,
            operator_endpoint=self._endpoint,
        )
        self._endpoint = topology.control_plane.api_url  # more planes do not change the way to it
        new = (*planes, *beside)
        await _record_found(self._session, new, topology)
        missing = len(self._told) < len(self._searches)
        return Found(
            topology=topology,
            rest=lambda: _record_rest(self._session, new, topology),
            late=asyncio.ensure_future(self._later()) if missing else None,
        )

    async def _next(self) -> list[SearchedCluster]:
        """The planes that were not told of and are searched now, or in a moment."""
        clock = asyncio.get_running_loop().time
        while pending := [s for s in self._searches.values() if not s.done()]:
            if ready := self._ready():
                patience_s = max(_PATIENCE_S, _PATIENCE * (clock() - self._began))
                await asyncio.wait(pending, timeout=patience_s)
                return self._ready() or ready
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        return self._ready()

    def _ready(self) -> list[SearchedCluster]:
        """Those of one context together: which of them has a service hangs on all of them."""
        told = {plane.target for plane in self._told}
        busy = {
            self._session.context_of(plane)
            for plane, search in self._searches.items()
            if not search.done()
        }
        return [
            search.result()
            for plane, search in self._searches.items()
            if plane not in told and search.done() and self._session.context_of(plane) not in busy
        ]


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


async def _kept(session: Session, control: FoundControlPlane, recording: Awaitable[None]) -> None:
    subject = control.control_plane.subject
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
    if isinstance(told, Failure):
        return SearchedCluster(target=target, found=nothing, cluster=told)
    return told


async def _searched(session: Session, target: ClusterTarget, kube: KubeClient) -> SearchedCluster:
    found, cluster = await asyncio.gather(
        find_plane(session, kube, subject=target.name, namespaces=target.namespaces),
        read_cluster(kube),
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
        if not plane.beside and plane.cluster is not None:
            whole = record_whole_cluster(
                session, kube, plane.cluster, subject=name, pods_in_full=False
            )
            group.create_task(whole)
        group.create_task(record_namespaces(session, kube, found, subject=name))
        group.create_task(_record_policies(session, kube, found, name, subjects))
    # What was read by now is not asked for.
    await _record_rights(session, kube, name, "execution-plane", found.namespaces)


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
    if target is None or control.rest is None:
        return
    kube = await session.kube(target.name)
    if isinstance(kube, Failure):
        return
    if control.objects is None:
        await control.rest()
        return
    found = FoundPlane(
        namespaces=(plane.namespace,),
        services=beside.found.services if beside else (),
        objects={plane.namespace: control.objects},
    )
    await asyncio.gather(
        record_namespaces(session, kube, found, subject=plane.subject), control.rest()
    )
    await _record_rights(session, kube, plane.subject, "control-plane", (plane.namespace,))


async def _record_rights(
    session: Session, kube: KubeClient, subject: str, role: Role, namespaces: tuple[str, ...]
) -> None:
    looking = review_rights(kube, role=role, namespaces=namespaces, active=session.targets.active)
    await session.recorder.look("rights", subject, looking, deadline_s=LOOK_S)
