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
    DATABASES,
    Components,
    ControlPlane,
    Finding,
    Layer,
    bites,
    check,
    failed,
    felt,
    kubectl,
    passed,
    undecided,
)


@check(
    about=ControlPlane,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    proven_by="state",
    explains=("gateway-down", "auth-backend-down", "backend-down", "component-not-ready"),
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
    gone = tuple(
        e.name
        for e in components.expected
        if e.name not in there and (not e.optional or _is_asked_for(e.name, components))
    )
    if not gone:
        return passed(f"Every workload of Keptn {components.keptn_version} is there.")
    breaks, layer = bites(felt(components, gone))
    return failed(
        f"The control plane lacks {', '.join(gone)}, which Keptn {components.keptn_version} "
        "installs.",
        remedy="Run helm upgrade for the control plane with its dependencies built.",
        command=kubectl(
            control_plane, "get deployments,statefulsets", namespace=control_plane.namespace
        ),
        severity="warning" if breaks == "nothing" else "error",
        breaks=breaks,
        layer=layer,
        parts=gone,
    )


def _is_asked_for(name: str, components: Components) -> bool:
    """An own database is missed when a part is told to call it; an external one is not missed."""
    hosts = [value for key, value in components.settings.items() if key.endswith("MONGODB_HOST")]
    return name in DATABASES and any(host.partition(":")[0] == name for host in hosts)
