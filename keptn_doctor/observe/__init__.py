"""The second round of looking: the way to each endpoint, Keptn's own word, logs, and the inside.

Everything runs side by side within limits per host and per cluster. It needs the facts that
``discover`` left in the recorder, adds its own, and judges nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import msgspec

from keptn_doctor.discover import Found
from keptn_doctor.discover.keptn_services import namesakes
from keptn_doctor.discover.reading import guarded
from keptn_doctor.knowledge.behaviour import client_behaviour
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import KeptnVersion, ReferenceToken
from keptn_doctor.model.kube_facts import Workload
from keptn_doctor.model.path_facts import GatewayAnswers
from keptn_doctor.model.topology import KeptnService, Topology
from keptn_doctor.observe.inside import look_inside
from keptn_doctor.observe.keptn_api import components_of, reach_keptn_api, walk_to
from keptn_doctor.observe.logs import read_control_plane_logs, read_service_logs
from keptn_doctor.observe.probe_pods import look_from_probe_pods
from keptn_doctor.observe.round_trips import make_round_trips
from keptn_doctor.observe.trip_logs import read_logs_of_broken_trips
from keptn_doctor.probes.control_plane_api import (
    Interests,
    look_at_old_events,
    observe_keptn_api,
)
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.session import Session

T = TypeVar("T")

_ENDPOINTS_AT_ONCE = 6
_MOST_WHOLE_LISTS = 100  # each service then shows all integrations: a hundred times a hundred
_SERVICES_AT_ONCE = 6  # per cluster; each takes a few reads and port-forwards
_MOST_EVENT_TYPES = 30


async def observe(
    session: Session, topology: Topology, *, late: asyncio.Task[Found] | None = None
) -> Topology:
    """Look at everything that the topology names; returns it with what versions add to it.

    ``late`` brings what slow clusters hold, while everything else is looked at.
    """
    subject = topology.control_plane.subject
    async with asyncio.TaskGroup() as group:
        round_two = _Round(session, group, topology, late)
        asking = _control_plane_api(session, round_two)
        keptn = group.create_task(_kept(session, "integrations", subject, asking))
        reading = _control_plane_logs(session, topology)
        group.create_task(_kept(session, "pod-log", subject, reading))
        await round_two.to_the_end()
    topology = round_two.topology
    workloads = dict(session.recorder.facts(Workload))
    for service, workload in round_two.suspects:
        looking = _inside(session, service, workload, briefly=round_two.briefly)
        await _kept(session, "local-api", service.subject, looking)
    if session.targets.probe_pod:
        await look_from_probe_pods(session, topology)
    if api := keptn.result():
        again = look_at_old_events(session.recorder, api, subject=subject)
        await _kept(session, "old-events", subject, again)
    if session.targets.round_trip:
        trips = make_round_trips(session, topology, api)
        await _kept(session, "round-trip", subject, trips)
        why = read_logs_of_broken_trips(session, topology)
        await _kept(session, "pod-log", subject, why)
    return await _with_version(session, topology, workloads)


class _Round:
    """The looks at endpoints and services that are under way, each begun once."""

    def __init__(
        self,
        session: Session,
        group: asyncio.TaskGroup,
        topology: Topology,
        late: asyncio.Task[Found] | None,
    ) -> None:
        self.session, self._group = session, group
        self.topology, self._late = topology, late
        self.endpoints = asyncio.Semaphore(_ENDPOINTS_AT_ONCE)
        self.suspects: list[tuple[KeptnService, Workload]] = []
        self.briefly = False
        self._limits: dict[str, asyncio.Semaphore] = {}
        self._begun: set[str] = set()
        self._looks: set[asyncio.Task[object]] = set()

    async def to_the_end(self) -> None:
        """Begin the looks at what is known, and at what slow clusters add later."""
        self._begin()
        while self._late is not None:
            found = await self._late
            self._group.create_task(found.rest())
            self.topology, self._late = found.topology, found.late
            self._begin()

    async def settled(self) -> Topology:
        """The topology with all clusters, or with as many as there are when all looks are over."""
        while self._late is not None and self._looks:
            looks = asyncio.ensure_future(asyncio.wait(self._looks))
            await asyncio.wait({self._late, looks}, return_when=asyncio.FIRST_COMPLETED)
            looks.cancel()
        return self.topology

    def _begin(self) -> None:
        for endpoint in self.topology.endpoints:
            if not endpoint.used_by_operator and self._is_new(endpoint.subject):
                walking = _within(self.endpoints, walk_to(self.session, endpoint))
                self._start("http", endpoint.subject, walking)
        workloads = dict(self.session.recorder.facts(Workload))
        reference = next((fact for _, fact in self.session.recorder.facts(ReferenceToken)), None)
        services = [
            (service, workloads[service.subject])
            for service in self.topology.services
            if service.belongs_to == "execution-plane" and service.subject in workloads
        ]
        self.briefly |= len(services) > _MOST_WHOLE_LISTS
        for service, workload in services:
            if self._is_new(service.subject):
                suspect = _token_is_suspect(service, reference)
                if suspect:
                    self.suspects.append((service, workload))
                looking = _service(
                    self.session, service, workload, inside=not suspect, briefly=self.briefly
                )
                limit = self._limits.setdefault(service.plane, asyncio.Semaphore(_SERVICES_AT_ONCE))
                self._start("pod-log", service.subject, _within(limit, looking))

    def _is_new(self, subject: str) -> bool:
        new = subject not in self._begun
        self._begun.add(subject)
        return new

    def _start(self, probe: str, subject: str, looking: Awaitable[object]) -> None:
        look = self._group.create_task(_kept(self.session, probe, subject, looking))
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)


async def _within(limit: asyncio.Semaphore, looking: Awaitable[T]) -> T:
    async with limit:
        return await looking


async def _kept(
    session: Session, probe: str, subject: str, looking: Awaitable[T | None]
) -> T | None:
    """A bug in one piece must not cost what the others see."""
    return await guarded(session, probe, subject, looking, otherwise=None)


async def _control_plane_api(session: Session, round_two: _Round) -> KeptnApi | None:
    """Keptn's own word, and the way on which it came; None when there is no way."""
    topology = round_two.topology
    api = await reach_keptn_api(session, topology, round_two.endpoints)
    if api is None:
        return None

    async def interests() -> Interests:
        return _interests(await round_two.settled())

    await observe_keptn_api(
        session.recorder, api, subject=topology.control_plane.subject, interests=interests
    )
    return api


def _interests(topology: Topology) -> Interests:
    """What the services are told to listen to, and the names under which they answer."""
    services = [s for s in topology.services if s.belongs_to == "execution-plane"]
    types = {
        topic
        for service in services
        for topic in service.topics
        if topic.endswith(".triggered") and "*" not in topic and ">" not in topic
    }
    return Interests(
        event_types=tuple(sorted(types)[:_MOST_EVENT_TYPES]),
        sources=tuple(s.integration_name or s.name for s in services),
    )


async def _control_plane_logs(session: Session, topology: Topology) -> None:
    target, components = session.targets.control_plane, components_of(session)
    if target is None or components is None:
        return
    kube = await session.kube(target.name)
    if not isinstance(kube, Failure):
        await read_control_plane_logs(session, kube, topology.control_plane, components)


def _token_is_suspect(service: KeptnService, reference: ReferenceToken | None) -> bool:
    """Whether a request of the service will probably be answered 401.

    Such requests come last and one by one: through most gateways they share one limiter with all
    others (``api/middleware/ratelimiter.go@0.13.4``), and must not spoil what the others see.
    """
    token = service.token
    known = bool(reference and reference.fingerprint and token.stripped_fingerprint)
    differs = (
        known and reference is not None and token.stripped_fingerprint != reference.fingerprint
    )
    return service.mode == "remote" and (token.empty or differs)


async def _service(
    session: Session, service: KeptnService, workload: Workload, *, inside: bool, briefly: bool
) -> None:
    kube = await session.kube(service.plane)
    if isinstance(kube, Failure):
        return
    async with asyncio.TaskGroup() as group:
        group.create_task(read_service_logs(session, kube, service, workload))
        if inside:
            group.create_task(look_inside(session, kube, service, workload, briefly=briefly))


async def _inside(
    session: Session, service: KeptnService, workload: Workload, *, briefly: bool
) -> None:
    kube = await session.kube(service.plane)
    if not isinstance(kube, Failure):
        await look_inside(session, kube, service, workload, briefly=briefly)


async def _with_version(
    session: Session, topology: Topology, workloads: dict[str, Workload]
) -> Topology:
    """The version as the API told it where the cluster could not, and the other way round."""
    told = [fact.version for _, fact in session.recorder.facts(KeptnVersion)]
    plane = topology.control_plane
    if not told and not plane.context and not plane.api_url:
        told = _version_behind_endpoints(session)
    if plane.version and not told:
        looking = _version_of_cluster(plane.version)
        await session.recorder.look("keptn-version", plane.subject, looking, deadline_s=1)
    if plane.version or not told:
        return topology
    version = told[0]
    services = [_of_control_plane(service, version) for service in topology.services]
    nodes = {
        subject: frozenset(pod.node for pod in workload.pods if pod.node)
        for subject, workload in workloads.items()
    }
    active = frozenset(path for path, workload in workloads.items() if workload.desired != 0)
    twins = namesakes(services, nodes, active)
    return msgspec.structs.replace(
        topology,
        control_plane=msgspec.structs.replace(topology.control_plane, version=version),
        services=tuple(
            msgspec.structs.replace(service, namesakes=twins.get(service.subject, ()))
            for service in services
        ),
    )


def _version_behind_endpoints(session: Session) -> list[str]:
    """With no control plane named at all, it is the one that all services are told to call."""
    answers = [fact for _, fact in session.recorder.facts(GatewayAnswers)]
    versions = {answer.keptn_version for answer in answers if answer.keptn_version}
    return list(versions) if len(versions) == 1 else []


async def _version_of_cluster(version: str) -> KeptnVersion:
    return KeptnVersion(version=version, source="image")


def _of_control_plane(service: KeptnService, version: str) -> KeptnService:
    behaviour = client_behaviour(
        service.client,
        service.client_version,
        oauth=service.oauth.enabled,
        control_plane_version=version,
    )
    return msgspec.structs.replace(service, behaviour=behaviour)
