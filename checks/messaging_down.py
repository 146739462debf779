"""The control plane's message broker is down.

Meaning       Heartbeats and polls go on, but no event moves: what is sent is answered with 500,
              and no sequence starts.
Decided by    The ready pods of keptn-nats (keptn-nats-cluster up to 0.13).
What to do    See why its pod is not ready; from 0.14 on it needs a bound volume.
False alarms  A broker that is being replaced is away for some seconds.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Claims,
    Components,
    ControlPlane,
    Finding,
    Layer,
    bites,
    check,
    component,
    failed,
    felt,
    kubectl,
    passed,
    skipped,
    why_not_ready,
)


@check(about=ControlPlane, layer=Layer.DELIVERY, breaks="degraded", proven_by="state", since="0.1")
def judge(control_plane: ControlPlane, *, components: Components, claims: Claims | None) -> Finding:
    """The workload's readiness, with the state of its volume as the likeliest reason."""
    workload = component(components, "keptn-nats", "keptn-nats-cluster")
    if workload is None:
        return skipped("No broker runs in the control plane's namespace.")
    if workload.ready > 0:
        return passed(f"{workload.name} has a ready pod.")
    pending = (
        [c for c in claims.claims if c.phase == "Pending" and "nats" in c.name] if claims else []
    )
    breaks, layer = bites(felt(components, (workload.name,)))
    volume = f"; its volume claim {pending[0].name} is not bound" if pending else ""
    return failed(
        f"No pod of the broker {workload.name} is ready: {why_not_ready(workload)}{volume}.",
        remedy=f"Bring {workload.name} up; no event moves without it.",
        command=kubectl(
            control_plane,
            f"describe {workload.workload_kind.lower()}/{workload.name}",
            namespace=control_plane.namespace,
        ),
        breaks=breaks,
        layer=layer,
        parts=(workload.name,),
    )
