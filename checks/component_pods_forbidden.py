"""The API server refuses to create pods of the control plane.

Meaning       OpenShift's security context constraints, Pod Security, an admission webhook or a
              ResourceQuota rejects the pods, so there are none, and nothing crashes either.
Decided by    The workload's ReplicaFailure condition or its FailedCreate events.
What to do    Set the chart's security contexts as the message asks (on OpenShift: switch off
              apiGatewayNginx.podSecurityContext and containerSecurityContext), or grant the
              constraint; raise the quota when it names one.
False alarms  A refusal while a pod of the workload is ready hits the next pod only; then it is
              advice.
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
    is_limit,
    kubectl,
    passed,
    refused_creation,
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
    """Workloads whose pods are refused, the one that breaks most first."""
    if not components.found:
        return undecided("None of the control plane's workloads was found.")
    refused = {w.name: refused_creation(w) for w in components.found if refused_creation(w)}
    if not refused:
        return passed("No pod of the control plane is refused.")
    down = tuple(w.name for w in components.found if w.name in refused and w.ready == 0)
    breaks, layer = bites(felt(components, down))
    names = down or tuple(refused)
    first = refused[breaks_most(names)]
    remedy = (
        "Raise the quota, or set the requests and limits that it asks for."
        if is_limit(first)
        else "Set the security contexts in the chart's values as the policy asks, or grant it."
    )
    return failed(
        f"The API server refuses pods of {', '.join(names)}: {first}.",
        remedy=remedy,
        command=kubectl(
            control_plane, "get events --field-selector reason=FailedCreate",
            namespace=control_plane.namespace,
        ),
        severity="error" if breaks != "nothing" else "warning",
        breaks=breaks,
        layer=layer,
        parts=names,
    )  # fmt: skip
