"""A workload that this Keptn version installs is missing from the control plane.

Meaning       The installation is incomplete (sub-charts left out, something deleted by hand), so
              part of the way an event takes does not exist.
Decided by    The workloads of the version's chart against those that are there.
What to do    Run helm upgrade with the same values and with its dependencies built.
False alarms  What the chart's values can switch off (Bridge, statistics, an external database) is
              not missed.
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
    undecided,
)

_ON_EVERY_REQUEST = ("api-gateway-nginx", "api-service", "shipyard-controller")


@check(
    about=ControlPlane,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    proven_by="state",
    since="0.1",
)
def judge(control_plane: ControlPlane, *, components: Components) -> Finding:
    """Expected without found, but for what may be left out."""
    if not components.expected:
        return undecided(
            "Which workloads belong to the control plane is not known, as its version is not.",
            missing=("the version of the control plane",),
        )
    there = {workload.name for workload in components.found}
    gone = [e for e in components.expected if e.name not in there and not e.optional]
    if not gone:
        return passed(f"Every workload of Keptn {components.keptn_version} is there.")
    names = ", ".join(e.name for e in gone)
    essential = any(e.name in _ON_EVERY_REQUEST for e in gone)
    on_the_way = any(e.event_path for e in gone)
    return failed(
        f"The control plane lacks {names}, which Keptn {components.keptn_version} installs.",
        remedy="Run helm upgrade for the control plane with its dependencies built.",
        command=kubectl(
            control_plane, "get deployments,statefulsets", namespace=control_plane.namespace
        ),
        severity="error" if on_the_way else "warning",
        breaks="disconnected" if essential else "degraded" if on_the_way else "nothing",
    )
