"""A container of a Keptn service runs but is not ready.

Meaning       A readiness probe fails. Keptn's clients fetch their events, so readiness stops none,
              yet a service that does not answer its probe may not do its work either. A liveness
              probe that fails restarts the container.
Decided by    Containers that run without being ready for more than a minute; the kubelet's events
              tell which probe fails.
What to do    Ask the probe's port and path by port-forward. A distributor from 0.11 with a chart up
              to 0.10 is probed on port 10999, where it no longer listens.
False alarms  Readiness says nothing about the connection; this is advice. An SDK service whose
              /health says 412 is not registered, which other checks tell.
"""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.api import (
    Container,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    Workload,
    check,
    containers,
    failed,
    kubectl,
    live_pods,
    passed,
    undecided,
)

_SETTLING_S = 60


@check(
    about=KeptnService,
    layer=Layer.WORKLOAD,
    severity="warning",
    breaks="nothing",
    proven_by="state",
    since="0.1",
)
def judge(
    service: KeptnService, *, workload: Workload, plane: ExecutionPlane | None, taken_at: datetime
) -> Finding:
    """Running, not ready, and not just started."""
    running = [c for c in containers(workload) if c.state == "running" and not c.init]
    if not running:
        return undecided(f"{service.name} has no running container.")
    unready = [c for c in running if not c.ready and _is_settled(c, taken_at)]
    if not unready:
        return passed(f"Every running container of {service.name} is ready.")
    first = unready[0]
    events = [e for pod in live_pods(workload) for e in pod.events if e.reason == "Unhealthy"]
    told = f" ({events[0].message.rstrip('.')})" if events and events[0].message else ""
    probe = f" at {first.readiness}" if first.readiness else ""
    return failed(
        f"Container {first.name} of {service.name} runs but fails its readiness probe{probe}"
        f"{told}.",
        remedy="Ask that port and path yourself, and correct the probe or the service.",
        command=kubectl(
            plane,
            f"describe {workload.workload_kind.lower()}/{workload.name}",
            namespace=workload.namespace,
        ),
    )


def _is_settled(container: Container, now: datetime) -> bool:
    started = container.started_at
    return started is None or (now - started).total_seconds() > _SETTLING_S
