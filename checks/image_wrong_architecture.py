"""The control plane's images are built for another processor than its nodes have.

Meaning       Keptn's images are for amd64 only. On arm64 every container of Keptn ends at once.
Decided by    The nodes' architecture together with containers that keep stopping or images that
              have no such platform; "exec format error" in a log alone.
What to do    Add amd64 nodes and a nodeSelector kubernetes.io/arch: amd64.
False alarms  Mixed clusters are fine as long as Keptn's pods run on amd64 nodes.
"""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    Layer,
    Nodes,
    PodLog,
    bites,
    check,
    failed,
    fails_on_processor,
    felt,
    kubectl,
    live_pods,
    on_the_way,
    passed,
    troubles,
    undecided,
)


@check(
    about=ControlPlane,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    explains=(
        "gateway-down",
        "auth-backend-down",
        "backend-down",
        "database-down",
        "messaging-down",
        "component-not-ready",
        "component-image-not-pulled",
    ),
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    components: Components,
    nodes: Nodes | None,
    logs: tuple[PodLog, ...] | None,
    taken_at: datetime,
) -> Finding:
    """Down on a node of another architecture, for no other reason that can be seen."""
    needed = on_the_way(components)
    if not needed:
        return undecided("None of the control plane's workloads was found.")
    told = {log.pod for log in logs or () if troubles((log,), event="architecture")}
    foreign = {n.name: n.architecture for n in nodes.nodes if n.architecture} if nodes else {}
    foreign = {name: kind for name, kind in foreign.items() if kind != "amd64"}
    hit = [
        w
        for w in needed
        if w.ready == 0
        and (
            any(pod.name in told for pod in live_pods(w))
            or fails_on_processor(w, foreign, now=taken_at)
        )
    ]
    if not hit:
        return passed("No part of the control plane fails on the processor of its node.")
    names = tuple(w.name for w in hit)
    breaks, layer = bites(felt(components, names))
    kinds = ", ".join(sorted(set(foreign.values()))) or "another architecture"
    return failed(
        f"{', '.join(names)} cannot run on its node: the nodes are {kinds}, the images amd64 only.",
        remedy="Add amd64 nodes, and let Keptn run on them only (nodeSelector kubernetes.io/arch).",
        command=kubectl(control_plane, "get nodes -L kubernetes.io/arch"),
        breaks=breaks,
        layer=layer,
        parts=names,
    )
