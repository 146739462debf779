"""Keptn lives in another namespace than the one that was named.

Meaning       The namespace given for the control plane holds no gateway, another one of the same
              cluster does. Nothing of the one named says anything about Keptn.
Decided by    The gateways of the whole cluster.
What to do    Name the other namespace.
False alarms  Two installations in one cluster are fine as long as the one named exists.
"""

from __future__ import annotations

from keptn_doctor.api import (
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
def judge(control_plane: ControlPlane, *, gateway: GatewayService | Failure) -> Finding:
    """No gateway where it was looked for, one elsewhere."""
    if isinstance(gateway, GatewayService):
        return passed(f"Namespace {gateway.namespace} holds a Keptn gateway.")
    if gateway.code != "not-found" or not control_plane.elsewhere:
        return skipped("No other namespace with a Keptn gateway is known.")
    there = ", ".join(control_plane.elsewhere)
    return failed(
        f"There is no Keptn gateway in the namespace that was named, but one in {there}.",
        remedy=f"Run again with --control-plane-namespace {control_plane.elsewhere[0]}.",
        command=f"keptn-doctor check --control-plane-namespace {control_plane.elsewhere[0]}",
    )
