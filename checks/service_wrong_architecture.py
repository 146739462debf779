"""An image of a Keptn service is built for another processor than its node has.

Meaning       Keptn's images are for amd64 only. On arm64 the container ends at once, each time.
Decided by    "exec format error" in the container's log or state, an image that the registry does
              not have for the platform, or a container that cannot start on a foreign node.
What to do    Let the service run on amd64 nodes (nodeSelector kubernetes.io/arch: amd64), or use
              an image for the platform.
False alarms  Services whose images exist for the platform run, and are passed.
"""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    Nodes,
    PodLog,
    Workload,
    check,
    cluster_of,
    crash_loops,
    failed,
    kubectl,
    live_pods,
    passed,
    pull_failures,
    troubles,
)

_KEPTNS = ("/keptn/", "/keptn-contrib/", "/keptnsandbox/")


@check(
    about=KeptnService,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    explains=("service-crash-looping", "image-not-pulled", "not-registered", "heartbeat-stale"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    workload: Workload,
    plane: ExecutionPlane | None,
    nodes: Nodes | None,
    logs: tuple[PodLog, ...] | None,
    taken_at: datetime,
) -> Finding:
    """What the container says of itself; else an amd64 image that ends at once elsewhere."""
    kinds = {n.name: n.architecture for n in nodes.nodes} if nodes else {}
    foreign = {name: kind for name, kind in kinds.items() if kind not in ("", "amd64")}
    loops = crash_loops(workload, now=taken_at)
    told = bool(troubles(logs, event="architecture"))
    refused = [c.name for c in pull_failures(workload) if "platform" in c.message]
    pods = live_pods(workload)
    abroad = bool(pods) and all(pod.node in foreign for pod in pods)
    at_once = [
        c.name
        for c in loops
        if c.last_exit_code in (1, 255)
        and c.last_reason != "OOMKilled"
        and any(part in c.image for part in _KEPTNS)
    ]
    hit = refused or [c.name for c in loops if told] or (at_once if abroad else [])
    if not hit:
        return passed(f"No container of {service.name} fails on the processor of its node.")
    on = ", ".join(sorted({foreign[p.node] for p in pods if p.node in foreign}))
    return failed(
        f"Container {hit[0]} of {service.name} cannot run on its node: its image is not for "
        f"{on or 'the processor there'}.",
        remedy="Let it run on amd64 nodes (nodeSelector kubernetes.io/arch), or use another image.",
        command=kubectl(plane, "get nodes -L kubernetes.io/arch"),
        at_fault=(f"nodes of {cluster_of(service, plane)} are {on}",) if on else (),
    )
