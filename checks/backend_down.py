"""shipyard-controller, which keeps registrations and hands out events, is down.

Meaning       The gateway and the token check work, but every registration, heartbeat and poll ends
              at a backend that is not there (502, or 500 while it starts).
Decided by    The ready pods of shipyard-controller.
What to do    See why its pod is not ready; most often it waits for MongoDB or NATS.
False alarms  A controller that is being replaced is away for some seconds.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    Layer,
    check,
    component,
    failed,
    kubectl,
    passed,
    reasons,
    skipped,
    why_not_ready,
)


@check(
    about=ControlPlane,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    proven_by="state",
    explained_by=("database-down", "messaging-down"),
    since="0.1",
)
def judge(control_plane: ControlPlane, *, components: Components) -> Finding:
    """A workload without a ready pod serves nobody."""
    workload = component(components, "shipyard-controller")
    if workload is None:
        return skipped("There is no shipyard-controller; see control-plane-component-missing.")
    if workload.ready > 0:
        return passed("shipyard-controller has a ready pod.")
    if workload.desired == 0:
        command = "scale deployment/shipyard-controller --replicas=1"
    else:
        command = "describe pods -l app.kubernetes.io/name=shipyard-controller"
    return failed(
        f"No pod of shipyard-controller is ready: {why_not_ready(workload)}.",
        remedy="Bring shipyard-controller up; registrations, heartbeats and polls go to it.",
        command=kubectl(control_plane, command, namespace=control_plane.namespace),
        parts=(workload.name,),
        through=reasons(workload),
    )
