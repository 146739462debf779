"""The control plane's database is down.

Meaning       Registrations, heartbeats and events are kept in MongoDB. Without it the API answers
              500 although gateway and token are fine.
Decided by    The ready pods of keptn-mongo (mongodb up to 0.10).
What to do    See why its pod is not ready: an unbound volume, an image that is gone, too little
              memory; then restart shipyard-controller if it does not recover by itself.
False alarms  An external database leaves no workload in the cluster; then this check is skipped.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Claims,
    Components,
    ControlPlane,
    Finding,
    Layer,
    check,
    component,
    failed,
    kubectl,
    passed,
    skipped,
    why_not_ready,
)


@check(
    about=ControlPlane,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    proven_by="state",
    since="0.1",
)
def judge(control_plane: ControlPlane, *, components: Components, claims: Claims | None) -> Finding:
    """The workload's readiness, with the state of its volume as the likeliest reason."""
    workload = component(components, "keptn-mongo", "mongodb")
    if workload is None:
        return skipped("No database runs in the control plane's namespace.")
    if workload.ready > 0:
        return passed(f"{workload.name} has a ready pod.")
    names = (workload.name, "mongodata")
    pending = (
        [c for c in claims.claims if c.phase == "Pending" and c.name in names] if claims else []
    )
    volume = f"; its volume claim {pending[0].name} is not bound" if pending else ""
    if workload.desired == 0:
        command = f"scale {workload.workload_kind.lower()}/{workload.name} --replicas=1"
    else:
        command = f"describe {workload.workload_kind.lower()}/{workload.name}"
    return failed(
        f"No pod of the database {workload.name} is ready: {why_not_ready(workload)}{volume}.",
        remedy=f"Bring {workload.name} up, then see that shipyard-controller recovers.",
        command=kubectl(control_plane, command, namespace=control_plane.namespace),
        parts=(workload.name,),
    )
