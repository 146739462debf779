"""The API gateway has no ready pod.

Meaning       Nothing stands behind the address that every execution plane calls: connections are
              refused, or an ingress answers 503.
Decided by    The ready pods of api-gateway-nginx and the endpoints of its Service.
What to do    See why its pod is not ready. When it ends with "host not found in upstream", a
              Service of the control plane is missing, or cluster DNS does not work.
False alarms  A gateway that is being replaced is without a ready pod for some seconds.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    GatewayService,
    Layer,
    check,
    component,
    failed,
    kubectl,
    passed,
    undecided,
    why_not_ready,
)

_GATEWAY = "api-gateway-nginx"


@check(about=ControlPlane, layer=Layer.HTTP, breaks="disconnected", proven_by="state", since="0.1")
def judge(
    control_plane: ControlPlane, *, components: Components | None, gateway: GatewayService | None
) -> Finding:
    """The workload tells why; the Service's endpoints tell that nobody is there."""
    workload = component(components, _GATEWAY) if components else None
    command = kubectl(
        control_plane,
        "describe pods -l app.kubernetes.io/name=api-gateway-nginx",
        namespace=control_plane.namespace,
    )
    remedy = "Bring a pod of api-gateway-nginx up; every execution plane enters through it."
    if workload is not None and workload.ready == 0:
        summary = f"No pod of the API gateway is ready: {why_not_ready(workload)}."
        return failed(summary, remedy=remedy, command=command, parts=(_GATEWAY,))
    if gateway is not None and gateway.ready_endpoints == 0:
        summary = f"The Service {gateway.name} has no ready pod behind it."
        return failed(summary, remedy=remedy, command=command, parts=(_GATEWAY,))
    if workload is None and (gateway is None or gateway.ready_endpoints is None):
        return undecided("Whether the API gateway has a ready pod could not be read.")
    return passed("The API gateway has a ready pod.")
