"""An execution plane's context leads to the control plane's cluster, where it is not.

Meaning       Both contexts are one cluster (the uid of kube-system is the same), and no Keptn
              service of an execution plane was found through this one: most likely it is the wrong
              context.
Decided by    The identities of both clusters, and what was found in the plane's namespaces.
What to do    Name the context of the execution plane's own cluster with --execution-plane.
False alarms  Control plane and execution plane in one cluster are fine when services are found,
              be it under another context of the same cluster.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ClusterFacts,
    ControlPlane,
    ExecutionPlane,
    Finding,
    Layer,
    NamespaceFacts,
    Topology,
    check,
    failed,
    passed,
)


@check(about=ExecutionPlane, layer=Layer.ACCESS, severity="warning", since="0.1")
def judge(
    plane: ExecutionPlane,
    *,
    control_plane: ControlPlane,
    topology: Topology,
    cluster: ClusterFacts,
    namespaces: tuple[NamespaceFacts, ...] | None,
) -> Finding:
    """The same uid, and nothing there."""
    uid = cluster.uid or plane.cluster_uid
    if not uid or uid != control_plane.cluster_uid or plane.context == control_plane.context:
        return passed(f"{plane.name} is not the control plane's cluster by another name.")
    services = [s for s in topology.services if s.plane == plane.name]
    if services:
        return passed(f"{plane.name} shares the control plane's cluster and has its services.")
    others = {p.name for p in topology.execution_planes if p.cluster_uid == uid} - {plane.name}
    told_there = sorted({s.plane for s in topology.services if s.plane in others})
    if plane.all_namespaces and told_there:
        return passed(f"{plane.name} is one cluster with {told_there[0]}, which has its services.")
    missing = [n.namespace for n in namespaces or () if n.exists is False]
    told = f"; its namespace {missing[0]} does not exist there" if missing else ""
    return failed(
        f"Context {plane.context} of {plane.name} leads to the control plane's own cluster, where "
        f"no Keptn service of an execution plane was found{told}.",
        remedy="Name the context of the execution plane's own cluster with --execution-plane.",
        command="kubectl config get-contexts",
    )
