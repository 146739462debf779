"""A part of the control plane that hands on events or resources is not ready.

Meaning       mongodb-datastore keeps the events, resource-service (configuration-service up to
              0.15) the files; without them sequences start but tasks fail.
Decided by    The ready pods of these workloads.
What to do    See why its pod is not ready.
False alarms  A pod that is being replaced is away for some seconds.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    Layer,
    check,
    failed,
    kubectl,
    passed,
    reasons,
    undecided,
    why_not_ready,
)

_PARTS = ("mongodb-datastore", "resource-service", "configuration-service")


@check(
    about=ControlPlane,
    layer=Layer.DELIVERY,
    breaks="degraded",
    proven_by="state",
    explained_by=("database-down", "messaging-down"),
    explains=("backend-down", "auth-backend-down"),
    since="0.1",
)
def judge(control_plane: ControlPlane, *, components: Components) -> Finding:
    """Those parts that have checks of their own are left to them."""
    there = [w for w in components.found if w.name in _PARTS]
    if not there:
        return undecided("Neither the event store nor the file store was found.")
    down = [w for w in there if w.ready == 0]
    if not down:
        return passed(f"{', '.join(w.name for w in there)} has a ready pod.")
    first = down[0]
    return failed(
        f"No pod of {first.name} is ready: {why_not_ready(first)}.",
        remedy=f"Bring {first.name} up.",
        command=kubectl(
            control_plane, f"describe deployment/{first.name}", namespace=control_plane.namespace
        ),
        parts=tuple(w.name for w in down),
        through=tuple(dict.fromkeys(name for w in down for name in reasons(w))),
    )
