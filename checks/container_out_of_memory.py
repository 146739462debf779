"""A container of a Keptn service is killed for memory.

Meaning       The kernel kills the container at its memory limit. When it is the client, heartbeats
              and polls stop in bursts; when it is the service, the work it was doing is lost: a
              .started without a .finished.
Decided by    The last end of its containers: OOMKilled within the last day and more than once, or
              within the last hour.
What to do    Raise the memory limit of that container. The distributor of 0.9.2 leaks memory: take
              a newer one.
False alarms  A single kill of long ago is not told of.
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
    is_running,
    kubectl,
    passed,
    spoken_age,
    undecided,
)

_HOUR_S, _DAY_S = 3600, 86_400


@check(
    about=KeptnService,
    layer=Layer.WORKLOAD,
    breaks="degraded",
    proven_by="state",
    explains=("service-crash-looping", "heartbeat-stale", "recipient-container-down"),
    since="0.1",
)
def judge(
    service: KeptnService, *, workload: Workload, plane: ExecutionPlane | None, taken_at: datetime
) -> Finding:
    """The client's kills weigh more than the service's."""
    if not workload.pods:
        return undecided(f"{service.name} has no pod whose memory could run out.")
    killed = [c for c in containers(workload) if _is_killed(c, taken_at)]
    if not killed:
        return passed(f"No container of {service.name} was killed for memory lately.")
    client = [c for c in killed if c.name == service.container]
    worst = (client or killed)[0]
    limit = f" of {worst.limit_memory_mi} MiB" if worst.limit_memory_mi else ""
    ended = worst.last_finished_at
    last = f", last {spoken_age((taken_at - ended).total_seconds())} ago" if ended else ""
    down = bool(client) and not is_running(workload, service.container)
    target = f"{workload.workload_kind.lower()}/{workload.name}"
    return failed(
        f"Container {worst.name} of {service.name} was killed at its memory limit{limit}"
        f"{last}; it was restarted {worst.restarts} times.",
        remedy=f"Raise the memory limit of {worst.name}.",
        command=kubectl(
            plane,
            f"set resources {target} -c {worst.name} --limits=memory=512Mi",
            namespace=service.namespace,
        ),
        breaks="disconnected" if down else "degraded",
    )


def _is_killed(container: Container, now: datetime) -> bool:
    if container.reason == "OOMKilled":
        return True
    ended = container.last_finished_at
    if container.last_reason != "OOMKilled" or ended is None:
        return False
    ago = (now - ended).total_seconds()
    return ago < _HOUR_S or (ago < _DAY_S and container.restarts >= 2)
