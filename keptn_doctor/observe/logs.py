"""Which container logs are read: every client of every Keptn service, and the control plane's own.

A run that has ended speaks louder than a young one, so the log before the last restart is read too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from datetime import datetime

from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import GatewayLog, PodLog
from keptn_doctor.model.kube_facts import Components, Container, Pod, Workload
from keptn_doctor.model.topology import ControlPlane, KeptnService
from keptn_doctor.probes.exposure import GATEWAY
from keptn_doctor.probes.gateway_log import read_gateway_log
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pod_logs import pod_log, read_raw, read_tail
from keptn_doctor.session import Session

LOOK_S = 40.0
MOST_PODS = 3  # of one service, the newest
_MOST_COMPONENT_LOGS = 16
_ALWAYS_READ = ("api-service", "shipyard-controller", "keptn-mongo", "mongodb", "keptn-nats")
_NAMED_OTHERWISE = frozenset({"mongodb", "nats"})  # containers of the database and the broker


def live_pods(workload: Workload) -> tuple[Pod, ...]:
    """The newest pods that are neither going away nor finished."""
    alive = [
        pod
        for pod in workload.pods
        if pod.deleted_at is None and pod.phase not in {"Succeeded", "Failed"}
    ]
    newest_first = sorted(alive, key=lambda pod: (_stamp(pod.created_at), pod.name), reverse=True)
    return tuple(newest_first[:MOST_PODS])


def _stamp(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


async def read_service_logs(
    session: Session, kube: KubeClient, service: KeptnService, workload: Workload
) -> None:
    """The client's logs in each pod, and the working container's where that is in trouble."""
    pods = live_pods(workload)
    if not pods:
        _skip(session, service.subject, "no pod of it is alive")
        return
    async with asyncio.TaskGroup() as group:
        for pod in pods:
            for container in pod.containers:
                is_client = container.name == service.container
                if is_client or (_in_trouble(container) and not container.init):
                    component = service.client if is_client else ""
                    version = service.client_version if is_client else ""
                    group.create_task(
                        _read_container(
                            session, kube, service.subject, pod, container,
                            component=component, version=version,
                        )
                    )  # fmt: skip


def _in_trouble(container: Container) -> bool:
    return container.state != "running" or not container.ready or container.restarts > 0


async def _read_container(
    session: Session,
    kube: KubeClient,
    subject: str,
    pod: Pod,
    container: Container,
    *,
    component: str,
    version: str,
) -> None:
    """The present run and the one before, as far as there are such runs."""
    runs = _runs(container)
    if not runs:
        reason = f"{container.name} in pod {pod.name} has not run: {container.reason or 'waiting'}"
        _skip(session, subject, reason)
    for previous in runs:
        await session.recorder.look(
            "pod-log",
            subject,
            _log(
                session, kube, pod, container.name,
                previous=previous, component=component, version=version,
            ),
            deadline_s=LOOK_S,
            part=f"{pod.name}/{container.name}" + ("/previous" if previous else ""),
        )  # fmt: skip


def _runs(container: Container) -> tuple[bool, ...]:
    """Which runs have a log: False = the present one, True = the one before.

    Between two runs the kubelet gives the log of the last one for both questions
    (``validateContainerLogStatus``), so it is asked once, as a past run.
    """
    ran_before = container.last_exit_code is not None or container.restarts > 0
    if container.state in {"running", "terminated"}:
        return (False, True) if ran_before else (False,)
    return (True,) if ran_before else ()


async def _log(
    session: Session,
    kube: KubeClient,
    pod: Pod,
    container: str,
    *,
    previous: bool,
    component: str,
    version: str,
) -> PodLog:
    raw = await read_raw(
        kube,
        pod.namespace,
        pod.name,
        container,
        redactor=session.redactor,
        window_s=session.targets.log_window_s,
        previous=previous,
    )
    return pod_log(
        raw,
        pod=pod.name,
        container=container,
        component=component,
        version=version,
        previous=previous,
    )


def _skip(session: Session, subject: str, reason: str) -> None:
    session.recorder.skip(
        NotAttempted(probe="pod-log", subject=subject, reason=reason, kind="unreachable")
    )


async def read_control_plane_logs(
    session: Session, kube: KubeClient, plane: ControlPlane, components: Components
) -> None:
    """The gateway's log, and those of components that always matter or are in trouble."""
    gateways = [w for w in components.found if w.name == GATEWAY]
    looks: list[Awaitable[None]] = [
        _read_gateway(session, kube, plane, pod) for w in gateways for pod in live_pods(w)
    ]
    wanted = [
        (workload, pod, container)
        for workload in components.found
        for pod in live_pods(workload)
        for container in pod.containers
        if _is_wanted(workload, container)
    ]
    for workload, pod, container in _worst_first(wanted)[:_MOST_COMPONENT_LOGS]:
        component = "" if container.name == "distributor" else workload.name
        looks.append(
            _read_container(
                session, kube, plane.subject, pod, container,
                component=component, version=plane.version,
            )
        )  # fmt: skip
    await asyncio.gather(*looks)


def _is_wanted(workload: Workload, container: Container) -> bool:
    if container.init:
        return container.state == "running" or (
            container.state == "waiting" and container.restarts > 0
        )
    if workload.name == GATEWAY:
        return container.state != "running"
    if workload.name in _ALWAYS_READ and container.name in {workload.name, *_NAMED_OTHERWISE}:
        return True
    return container.state != "running" or not container.ready


def _worst_first(
    wanted: Iterable[tuple[Workload, Pod, Container]],
) -> list[tuple[Workload, Pod, Container]]:
    return sorted(wanted, key=lambda item: (item[2].ready, item[0].name, item[1].name))


async def _read_gateway(session: Session, kube: KubeClient, plane: ControlPlane, pod: Pod) -> None:
    """One read for two facts: heartbeats counted, and lines that mean trouble."""
    window_s = session.targets.log_window_s
    container = next((c for c in pod.containers if c.name == GATEWAY and not c.init), None)
    if container is None or container.state != "running":
        return
    raws = []

    async def summary() -> GatewayLog | Failure:
        raw = await read_tail(
            kube, pod.namespace, pod.name, GATEWAY, redactor=session.redactor, window_s=window_s
        )
        raws.append(raw)
        return read_gateway_log(raw.lines, window_s=window_s)

    async def lines() -> PodLog:
        return pod_log(
            raws[0], pod=pod.name, container=GATEWAY, component=GATEWAY, version=plane.version
        )

    look = session.recorder.look
    await look("gateway-log", plane.subject, summary(), deadline_s=LOOK_S, part=pod.name)
    if raws:
        part = f"{pod.name}/{GATEWAY}"
        await look("pod-log", plane.subject, lines(), deadline_s=LOOK_S, part=part)
    if container.restarts:
        await session.recorder.look(
            "pod-log",
            plane.subject,
            _log(
                session, kube, pod, GATEWAY,
                previous=True, component=GATEWAY, version=plane.version,
            ),
            deadline_s=LOOK_S,
            part=f"{pod.name}/{GATEWAY}/previous",
        )  # fmt: skip
