"""The control plane's cluster has no node that takes pods.

Meaning       Its nodes are not ready, or so short of memory, disk or process ids that the cluster
              keeps new pods away from them. Parts of Keptn stay pending, or stop with their node.
Decided by    The conditions of the nodes, and parts of the control plane without a ready pod.
What to do    See why the node's kubelet does not report (kubectl describe node), or free the
              resource that has run out.
False alarms  While one node is fine it takes the pods. While every part has a ready pod, this is
              advice.
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
    kubectl,
    node_trouble,
    on_the_way,
    passed,
    undecided,
)


@check(
    about=ControlPlane,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    explains=(
        "component-unschedulable",
        "gateway-down",
        "auth-backend-down",
        "backend-down",
        "database-down",
        "messaging-down",
        "component-not-ready",
        "control-plane-dns-broken",
        "load-balancer-not-announced",
        "endpoint-port-refused",
        "endpoint-unreachable",
    ),
    since="0.1",
)
def judge(control_plane: ControlPlane, *, nodes: Nodes, components: Components | None) -> Finding:
    """Nodes first; the parts without a ready pod tell whether it matters."""
    if not nodes.nodes:
        return undecided("The control plane's cluster shows no node.")
    trouble = {node.name: node_trouble(node) for node in nodes.nodes}
    bad = {name: why for name, why in trouble.items() if why}
    if not bad:
        return passed("Every node of the control plane's cluster is ready.")
    if len(bad) < len(trouble):
        return passed(f"{len(trouble) - len(bad)} of {len(trouble)} nodes take pods.")
    down = tuple(w.name for w in on_the_way(components) if w.ready == 0) if components else ()
    breaks, layer = bites(down)
    told = "; ".join(f"{name} {why}" for name, why in list(bad.items())[:3])
    return failed(
        f"No node of the control plane's cluster takes pods: {told}.",
        remedy="See why the node does not report, or free the resource that has run out.",
        command=kubectl(control_plane, f"describe node {next(iter(bad))}"),
        severity="warning" if breaks == "nothing" else "error",
        breaks=breaks,
        layer=layer,
    )
