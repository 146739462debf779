"""A Secret or ConfigMap that a part of the control plane needs does not exist.

Meaning       The container is not started (CreateContainerConfigError): keptn-api-token was
              deleted, say, or apiService.tokenSecretName names a Secret that nobody made.
Decided by    Containers that wait with CreateContainerConfigError, in the kubelet's words.
What to do    Create the Secret or ConfigMap with that key; helm upgrade makes those of the chart
              anew (and a new token with them).
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
    misconfigured,
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
    """The kubelet says what it misses."""
    if not components.found:
        return undecided("None of the control plane's workloads was found.")
    stuck = {w.name: misconfigured(w)[0] for w in components.found if misconfigured(w)}
    if not stuck:
        return passed("The pods of the control plane find everything that they refer to.")
    down = tuple(w.name for w in components.found if w.name in stuck and w.ready == 0)
    breaks, layer = bites(felt(components, down))
    names = down or tuple(stuck)
    first = breaks_most(names)
    message = stuck[first].message.rstrip(".") or "what it refers to is missing"
    return failed(
        f"Container {stuck[first].name} of {first} is not started: {message}.",
        remedy="Create what the pod refers to, or correct the reference.",
        command=kubectl(control_plane, "get secrets,configmaps", namespace=control_plane.namespace),
        severity="warning" if breaks == "nothing" else "error",
        breaks=breaks,
        layer=layer,
        parts=names,
    )
