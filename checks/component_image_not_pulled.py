"""An image of the control plane cannot be pulled.

Meaning       A node does not get an image that a part of the control plane needs: its tag is gone
              (Bitnami's MongoDB tags moved to another repository in 2025), its registry is not
              reachable, or an image of the init containers (curlimages/curl from 1.0) is blocked.
Decided by    Containers waiting with ErrImagePull or ImagePullBackOff, in workloads without a ready
              pod.
What to do    Read the kubelet's message; mirror the image, or point the chart's value at where it
              is now.
False alarms  While another pod of the workload is ready, it works; then it is advice.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    Layer,
    bites,
    breaks_most,
    check,
    failed,
    felt,
    kubectl,
    passed,
    pull_failures,
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
    """Containers that wait for their image, init containers included."""
    if not components.found:
        return undecided("None of the control plane's workloads was found.")
    stuck = {w.name: pull_failures(w) for w in components.found if pull_failures(w)}
    if not stuck:
        return passed("Every image of the control plane was pulled.")
    down = tuple(w.name for w in components.found if w.name in stuck and w.ready == 0)
    breaks, layer = bites(felt(components, down))
    names = down or tuple(stuck)
    first = breaks_most(names)
    container = stuck[first][0]
    message = f": {container.message.rstrip('.')}" if container.message else ""
    others = f" {len(names) - 1} other workloads have the same trouble." if names[1:] else ""
    return failed(
        f"The image {container.image or container.name} of {first} cannot be pulled "
        f"({container.reason}{message}).{others}",
        remedy="Mirror the image, or set the chart's value to where it can be pulled from.",
        command=kubectl(control_plane, "get events", namespace=control_plane.namespace),
        severity="error" if breaks != "nothing" else "warning",
        breaks=breaks,
        layer=layer,
        parts=names,
    )
