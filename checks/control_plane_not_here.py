"""The cluster given as the control plane's has no Keptn in it.

Meaning       The context leads to another cluster. Nothing of what is missing there says anything
              about Keptn, so the verdicts stay unknown.
Decided by    No Keptn gateway in any namespace that could be searched.
What to do    Look for the right context (keptn-doctor init searches all of them) and name it with
              --control-plane.
False alarms  When there is a gateway in another namespace, see wrong-namespace. An installation
              that lost its gateway still has its other workloads and is not told of here.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ClusterFacts,
    Components,
    ControlPlane,
    Failure,
    Finding,
    GatewayService,
    Layer,
    check,
    failed,
    passed,
    skipped,
)


@check(about=ControlPlane, layer=Layer.ACCESS, severity="warning", since="0.1")
def judge(
    control_plane: ControlPlane,
    *,
    gateway: GatewayService | Failure,
    components: Components | None,
    cluster: ClusterFacts | None,
) -> Finding:
    """Neither a gateway nor any other workload of Keptn."""
    if isinstance(gateway, GatewayService) or (components is not None and components.found):
        return passed("The control plane's cluster holds Keptn.")
    if gateway.code != "not-found" or control_plane.elsewhere or cluster is None:
        return skipped("Whether the cluster holds Keptn was not seen, or it is elsewhere in it.")
    return failed(
        f"Context {control_plane.context or control_plane.name} leads to a cluster without Keptn: "
        f"{gateway.detail.rstrip('.') or 'there is no gateway'}.",
        remedy="Name the context of the right cluster with --control-plane.",
        command="kubectl config get-contexts",
    )
