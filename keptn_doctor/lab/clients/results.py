"""What the simulated clients did, carried over to their pods: restarts, states, logs, ports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from keptn_doctor.lab.blueprint import Site
from keptn_doctor.lab.clients.client import ContainerState, PodRun
from keptn_doctor.lab.clients.containers import client_container
from keptn_doctor.lab.pods_backend import ContainerLog, LabPods
from keptn_doctor.lab.simulation import Simulation
from keptn_doctor.lab.workloads import Controllers, PlannedPod
from keptn_doctor.lab.workloads.containers import incidents_of
from keptn_doctor.lab.workloads.plan import ContainerPlan, LastRun, PodPlan


def results_into_plans(simulation: Simulation, site: Site, controllers: Controllers) -> None:
    """Replace the plans of pods whose client ended, restarts or is not ready."""
    for index, planned, run, name in _pairs(simulation, site, controllers):
        containers = tuple(
            _carried(plan, run.container(), simulation.clock()) if plan.name == name else plan
            for plan in planned.plan.containers
        )
        values = {f: getattr(planned.plan, f) for f in planned.plan.__struct_fields__}
        values |= {"containers": containers, "incidents": incidents_of(containers)}
        rest = {f: getattr(planned, f) for f in planned.__struct_fields__}
        controllers.pods[index] = PlannedPod(**{**rest, "plan": PodPlan(**values)})


def client_logs(
    simulation: Simulation, site: Site, controllers: Controllers, pods: LabPods
) -> None:
    """Serve the clients' logs and local ports."""
    for _, planned, run, name in _pairs(simulation, site, controllers):
        log = ContainerLog(present=run.log, previous=run.previous_log)
        pods.write(planned.namespace, planned.name, name, log)
        for port in run.ports:
            pods.listen(
                planned.namespace, planned.name, port.number, port.open, public=port.public
            )


def _pairs(
    simulation: Simulation, site: Site, controllers: Controllers
) -> Iterator[tuple[int, PlannedPod, PodRun, str]]:
    """Position, planned pod, its client's run, and the name of the client's container."""
    runs = {
        (run.settings.plane, run.settings.namespace, replica.pod.name): replica
        for run in simulation.runs
        for replica in run.pods
        if run.settings.plane in site.planes and not replica.stopped
    }
    places = {(pod.namespace, pod.name): index for index, pod in enumerate(controllers.pods)}
    for (_, namespace, name), run in runs.items():
        if (namespace, name) not in places:
            continue
        index = places[namespace, name]
        planned = controllers.pods[index]
        workload = controllers.inventory.get(*planned.owner)
        container = client_container(workload) if workload is not None else None
        if container is not None:
            yield index, planned, run, str(container["name"])


def _carried(plan: ContainerPlan, state: ContainerState, now: datetime) -> ContainerPlan:
    last = plan.last
    if state.last is not None:
        last = LastRun(
            exit_code=state.last.exit_code, reason=state.last.reason,
            ago_s=(now - state.last.finished_at).total_seconds(),
            lasted_s=(state.last.finished_at - state.last.started_at).total_seconds(),
        )  # fmt: skip
    started = state.started_at
    waiting = state.state == "waiting"
    return ContainerPlan(
        name=plan.name, image=plan.image, state=state.state, reason=state.reason,
        message=f"back-off 5m0s restarting failed container={plan.name}" if waiting else "",
        ready=state.ready and plan.ready, restarts=plan.restarts + state.restarts, last=last,
        started_ago_s=None if started is None else (now - started).total_seconds(),
    )  # fmt: skip
