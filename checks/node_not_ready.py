"""An execution plane has no node that takes pods.

Meaning       Its nodes are not ready, or so short of memory, disk or process ids that the cluster
              keeps new pods away from them. Pods stay pending, or stop with their node.
Decided by    The conditions of the nodes. Pods that the scheduler cannot place make it matter.
What to do    See why the node's kubelet does not report (kubectl describe node), or free the
              resource that has run out.
False alarms  While one node is fine it takes the pods. While all pods still run on nodes that are
              only short of something, this is advice.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    Layer,
    Nodes,
    Workload,
    check,
    failed,
    kubectl,
    node_trouble,
    passed,
    undecided,
    unscheduled,
)


@check(
    about=ExecutionPlane,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    explains=(
        "pod-unschedulable",
        "not-registered",
        "heartbeat-stale",
        "endpoint-resolver-failing",
    ),
    since="0.1",
)
def judge(
    plane: ExecutionPlane, *, nodes: Nodes, workloads: tuple[Workload, ...] | None
) -> Finding:
    """Every node lost is a break; every node short of something is one once pods wait."""
    if not nodes.nodes:
        return undecided(f"{plane.name} shows no node.")
    trouble = {node.name: node_trouble(node) for node in nodes.nodes}
    bad = {name: why for name, why in trouble.items() if why}
    if not bad:
        return passed(f"Every node of {plane.name} is ready.")
    if len(bad) < len(trouble):
        return passed(f"{len(trouble) - len(bad)} of {len(trouble)} nodes take pods.")
    lost = all(not node.ready for node in nodes.nodes)
    waiting = any(unscheduled(workload) for workload in workloads or ())
    matters = lost or waiting
    told = "; ".join(f"{name} {why}" for name, why in list(bad.items())[:3])
    return failed(
        f"No node of {plane.name} takes pods: {told}.",
        remedy="See why the node does not report, or free the resource that has run out.",
        command=kubectl(plane, f"describe node {next(iter(bad))}"),
        severity="error" if matters else "warning",
        breaks="disconnected" if matters else "nothing",
    )
