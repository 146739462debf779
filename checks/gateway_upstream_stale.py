"""The gateway still calls the former address of one of its backends.

Meaning       nginx resolves its backends once, when it starts. A Service that was made anew has
              another cluster address, and the gateway goes on calling the old one: 502, or 504
              after a minute.
Decided by    Addresses in the gateway's error log that are no Service's of the control plane.
What to do    Restart the gateway.
False alarms  An error towards an address that a Service has now means that the backend itself is in
              trouble.
"""

from __future__ import annotations

import re

from keptn_doctor.api import (
    ComponentServices,
    ControlPlane,
    Finding,
    GatewayLog,
    Layer,
    check,
    failed,
    kubectl,
    passed,
    written_address,
)

_ADDRESS = re.compile(r"(?:connect\(\) failed|upstream timed out)[^:]*: http://(?P<ip>[^:/]+)")


@check(
    about=ControlPlane,
    layer=Layer.HTTP,
    breaks="disconnected",
    proven_by="state",
    explains=(
        "auth-backend-down",
        "backend-down",
        "endpoint-unreachable",
        "egress-filtered",
        "service-crash-looping",
        "source-ranges-exclude-plane",
        "node-port-blocked",
    ),
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    log: GatewayLog,
    services: ComponentServices,
) -> Finding:
    """Compare what the gateway calls with what there is."""
    present = {service.cluster_ip for service in services.services}
    called_ones = [m["ip"] for text in log.upstream_errors if (m := _ADDRESS.search(text))]
    stale = [ip for ip in called_ones if ip not in present and written_address(ip)]
    if not stale:
        return passed("The gateway calls no address that is not a Service's.")
    dated = sorted((s.created_at, s.name) for s in services.services if s.created_at)
    newest = f"; the youngest Service is {dated[-1][1]}" if dated else ""
    return failed(
        f"The gateway calls {stale[0]}, which is no Service's address any more{newest}.",
        remedy="Restart api-gateway-nginx; it looks its backends up when it starts.",
        command=kubectl(
            control_plane,
            "rollout restart deployment/api-gateway-nginx",
            namespace=control_plane.namespace,
        ),
    )
