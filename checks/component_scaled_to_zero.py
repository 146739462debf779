"""A part of the control plane that events need is scaled to zero.

Meaning       Nothing is failing: somebody, or a cost saver, switched the part off, and what needs
              it fails in its stead.
Decided by    The replicas that each workload of the control plane asks for.
What to do    Scale it up again, and see what scales it down.
False alarms  Bridge, statistics and the like are on no execution plane's way and may be switched
              off; they are not told of.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    Layer,
    bites,
    check,
    failed,
    felt,
    kubectl,
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
        "gateway-down",
        "auth-backend-down",
        "backend-down",
        "database-down",
        "messaging-down",
        "component-not-ready",
    ),
    since="0.1",
)
def judge(control_plane: ControlPlane, *, components: Components) -> Finding:
    """Zero replicas asked for, of a workload that is needed."""
    needed = on_the_way(components)
    off = tuple(workload for workload in needed if workload.desired == 0)
    if not needed:
        return undecided("None of the control plane's workloads was found.")
    if not off:
        return passed("Every part of the control plane that events need asks for a replica.")
    names = tuple(workload.name for workload in off)
    breaks, layer = bites(felt(components, names))
    targets = " ".join(f"{w.workload_kind.lower()}/{w.name}" for w in off)
    return failed(
        f"{', '.join(names)} of the control plane {'is' if len(names) == 1 else 'are'} scaled to "
        "zero.",
        remedy="Scale up what was switched off, and see what switches it off.",
        command=kubectl(
            control_plane, f"scale {targets} --replicas=1", namespace=control_plane.namespace
        ),
        breaks=breaks,
        layer=layer,
        parts=names,
    )
