"""A pod of the control plane finds no node.

Meaning       The cluster has too little room for what the pod requests, or no node that it may run
              on, so a part of the control plane does not start.
Decided by    The scheduler's condition on the pods of workloads without a ready pod.
What to do    Add a node or use a larger one; the documentation asks for 2 vCPU and 4 GB for a
              control plane. Optional services (statistics, remediation) can be switched off.
False alarms  A pod that waits for its volume claim is another matter: see claim-unbound.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    Layer,
    Nodes,
    bites,
    check,
    failed,
    felt,
    kubectl,
    passed,
    undecided,
    unscheduled,
    waits_for_volume,
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
    ),
    since="0.1",
)
def judge(control_plane: ControlPlane, *, components: Components, nodes: Nodes | None) -> Finding:
    """The scheduler's own words, with the room there is when the nodes could be read."""
    if not components.found:
        return undecided("None of the control plane's workloads was found.")
    said = {w.name: unscheduled(w) for w in components.found}
    stuck = {name: text for name, text in said.items() if text and not waits_for_volume(text)}
    if not stuck:
        return passed("Every pod of the control plane has a node.")
    down = tuple(w.name for w in components.found if w.name in stuck and w.ready == 0)
    breaks, layer = bites(felt(components, down))
    names = down or tuple(stuck)
    return failed(
        f"No node takes the pods of {', '.join(names)}: {stuck[names[0]]}.{_room(nodes)}",
        remedy="Add a node, use a larger one, or switch off optional services.",
        command=kubectl(control_plane, "describe nodes"),
        severity="error" if breaks != "nothing" else "warning",
        breaks=breaks,
        layer=layer,
        parts=names,
    )


def _room(nodes: Nodes | None) -> str:
    if nodes is None or nodes.requested_cpu_m is None:
        return ""
    ready = [node for node in nodes.nodes if node.ready]
    cpu = sum(node.allocatable_cpu_m or 0 for node in ready)
    return f" Of {cpu}m CPU on {len(ready)} ready nodes, {nodes.requested_cpu_m}m are requested."
