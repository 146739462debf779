"""The logs again, where a round trip broke: those of before it cannot tell why.

Whose log depends on the leg: up to the task's own event it is the control plane's, after that the
Keptn service's.
"""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import RoundTrip
from keptn_doctor.model.kube_facts import Components, Workload
from keptn_doctor.model.topology import KeptnService, Topology
from keptn_doctor.observe.logs import read_control_plane_logs, read_service_logs
from keptn_doctor.session import Session

_OF_THE_SERVICE = ("picked-up", "finished")
_OF_NOBODY = ("project-made", "project-removed")


async def read_logs_of_broken_trips(session: Session, topology: Topology) -> None:
    """Read once more what may tell why; nothing where every trip came back."""
    trips = session.recorder.facts(RoundTrip)
    broken = [(subject, hop.leg) for subject, trip in trips if (hop := trip.broken_at)]
    services = {subject for subject, leg in broken if leg in _OF_THE_SERVICE}
    if any(leg not in (*_OF_THE_SERVICE, *_OF_NOBODY) for _, leg in broken):
        await _of_the_control_plane(session, topology)
    await _of_services(session, (s for s in topology.services if s.subject in services))


async def _of_the_control_plane(session: Session, topology: Topology) -> None:
    target = session.targets.control_plane
    components = next((fact for _, fact in session.recorder.facts(Components)), None)
    if target is None or components is None:
        return
    kube = await session.kube(target.name)
    if not isinstance(kube, Failure):
        await read_control_plane_logs(session, kube, topology.control_plane, components)


async def _of_services(session: Session, services: Iterable[KeptnService]) -> None:
    workloads = dict(session.recorder.facts(Workload))
    for service in services:
        kube = await session.kube(service.plane)
        if service.subject in workloads and not isinstance(kube, Failure):
            await read_service_logs(session, kube, service, workloads[service.subject])
