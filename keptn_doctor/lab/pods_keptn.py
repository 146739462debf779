"""Logs of the pods that are not execution-plane clients: Keptn's own components and the rest.

The gateway's access and error log comes from the simulated gateway, live. What a failing container
wrote before it failed is in its plan. Everything else is quiet.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from keptn_doctor.lab.blueprint import Site
from keptn_doctor.lab.exposure import KEPTN
from keptn_doctor.lab.objects_control_plane import GATEWAY
from keptn_doctor.lab.pods_backend import ContainerLog, LabPods, Line, Reading
from keptn_doctor.lab.simulation import Simulation
from keptn_doctor.lab.workloads import Controllers, PlannedPod
from keptn_doctor.lab.workloads_plan import ContainerPlan


def keptn_logs(
    simulation: Simulation, site: Site, controllers: Controllers, pods: LabPods
) -> None:
    """Give every planned container its log."""
    for planned in controllers.pods:
        if planned.plan.node_lost:
            pods.lost.add((planned.namespace, planned.name))
        for container in planned.plan.containers:
            if not _has_started(container):
                continue
            log = _log(container, planned, controllers)
            if planned.namespace == site.keptn_namespace and container.name == GATEWAY:
                present = _gateway(simulation, log)
                log = ContainerLog(present=present, previous=log.previous)
            pods.write(planned.namespace, planned.name, container.name, log)


def _has_started(container: ContainerPlan) -> bool:
    never = {"ImagePullBackOff", "CreateContainerConfigError", "PodInitializing"}
    return container.reason not in never


def _log(plan: ContainerPlan, planned: PlannedPod, controllers: Controllers) -> ContainerLog:
    now = controllers.now
    ago = plan.last.ago_s if plan.last is not None else min(60.0, planned.age_s)
    at = now - timedelta(seconds=ago)
    present: tuple[Line, ...] = tuple((at, text) for text in plan.log)
    before: tuple[Line, ...] | None = None
    if plan.last is not None:
        earlier = at - timedelta(seconds=300)
        before = tuple((earlier, text) for text in plan.previous_log)
    return ContainerLog(present=_fixed(present), previous=lambda: before)


def _fixed(lines: tuple[Line, ...]) -> Reading:
    def read(*, since: datetime | None = None) -> tuple[Line, ...]:
        return tuple(line for line in lines if since is None or line[0] >= since)

    return read


def _gateway(simulation: Simulation, planned: ContainerLog) -> Reading:
    def read(*, since: datetime | None = None) -> tuple[Line, ...]:
        gateway = simulation.gateways.get(KEPTN)
        live = tuple(gateway.log) if gateway is not None else ()
        kept = tuple(line for line in live if since is None or line[0] >= since)
        return (*planned.present(since=since), *kept)

    return read
