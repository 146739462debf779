"""Logs of the pods that are not execution-plane clients: Keptn's own components and the rest.

The gateway's access and error log comes from the simulated gateway, live; what its components see
is in ``component_logs``. What a failing container wrote before it failed is in its plan.
Everything else is quiet.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from keptn_doctor.lab.blueprint import Site
from keptn_doctor.lab.keptn.component_logs import component_log
from keptn_doctor.lab.keptn.gateway import Gateway
from keptn_doctor.lab.kube.pods import Streams
from keptn_doctor.lab.objects.control_plane import GATEWAY
from keptn_doctor.lab.objects.published import KEPTN
from keptn_doctor.lab.pods_backend import ContainerLog, LabPods, Line, Opener, Reading
from keptn_doctor.lab.settings import CONTROL_PLANE
from keptn_doctor.lab.simulation import Simulation
from keptn_doctor.lab.workloads import Controllers, PlannedPod
from keptn_doctor.lab.workloads.plan import ContainerPlan


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
            log = _log(container, planned, simulation.clock())
            if planned.namespace == site.keptn_namespace and container.runs:
                log = _live(planned.workload, container.name, log, simulation)
            pods.write(planned.namespace, planned.name, container.name, log)


def _live(workload: str, container: str, log: ContainerLog, simulation: Simulation) -> ContainerLog:
    """The log of a component that runs: what it says of the requests and stores it sees."""
    if container == GATEWAY:
        gateway = simulation.gateways[KEPTN]
        return ContainerLog(
            present=_gateway(gateway), previous=log.previous, tail=gateway.tail
        )  # fmt: skip
    if container not in {workload, "mongodb", "nats"}:
        return log
    reading = component_log(workload, simulation, simulation.clock)
    return log if reading is None else ContainerLog(present=reading, previous=log.previous)


def keptn_ports(
    simulation: Simulation, site: Site, controllers: Controllers, pods: LabPods
) -> None:
    """Ports of the gateway's and the components' pods, for port-forward and the proxies."""
    for service in site.inventory.of("Service", site.keptn_namespace or "-"):
        spec = service["spec"]
        if str(spec.get("clusterIP") or "None") == "None":
            continue
        for planned in controllers.ready_pods(site.keptn_namespace, spec.get("selector") or {}):
            for port in spec.get("ports") or []:
                opener = _opener(simulation, str(spec["clusterIP"]), int(port["port"]))
                target = port.get("targetPort")
                if isinstance(target, int):
                    pods.listen(site.keptn_namespace, planned.name, target, opener, public=True)


def _opener(simulation: Simulation, address: str, port: int) -> Opener:
    async def connect() -> Streams:
        try:
            return await simulation.wire.open(CONTROL_PLANE, address, port)
        except TimeoutError:
            raise ConnectionRefusedError(f"nothing of the lab listens behind {port}") from None

    return connect


def _has_started(container: ContainerPlan) -> bool:
    never = {"ImagePullBackOff", "CreateContainerConfigError", "PodInitializing"}
    return container.reason not in never


def _log(plan: ContainerPlan, planned: PlannedPod, now: datetime) -> ContainerLog:
    ago = plan.last.ago_s if plan.last is not None else min(60.0, planned.age_s)
    at = now - timedelta(seconds=ago)
    present: tuple[Line, ...] = tuple((at, _stamped(text, at)) for text in plan.log)
    before: tuple[Line, ...] | None = None
    if plan.last is not None:
        earlier = at - timedelta(seconds=300)
        before = tuple((earlier, _stamped(text, earlier)) for text in plan.previous_log)
    return ContainerLog(present=_fixed(present), previous=lambda: before)


def _stamped(text: str, at: datetime) -> str:
    """Put the time before a line as its program does: nginx and logrus; others write none."""
    if text.startswith("[emerg]"):
        return f"{at.strftime('%Y/%m/%d %H:%M:%S')} [emerg] 1#1:{text.removeprefix('[emerg]')}"
    if text.startswith("level="):
        return f'time="{at.strftime("%Y-%m-%dT%H:%M:%SZ")}" {text}'
    return text


def _fixed(lines: tuple[Line, ...]) -> Reading:
    def read(*, since: datetime | None = None) -> tuple[Line, ...]:
        return tuple(line for line in lines if since is None or line[0] >= since)

    return read


def _gateway(gateway: Gateway) -> Reading:
    def read(*, since: datetime | None = None) -> tuple[Line, ...]:
        return gateway.log if since is None else gateway.log_since(since)

    return read
