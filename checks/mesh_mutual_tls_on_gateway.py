"""The service mesh of the control plane demands mutual TLS at the gateway.

Meaning       A PeerAuthentication of mode STRICT covers the gateway's pod, so plain connections
              from a load balancer or node port are reset by its sidecar.
Decided by    The PeerAuthentication, and connections of the Keptn service that are reset, or
              answered by the sidecar (503).
What to do    Come in through the mesh's ingress gateway, or make port 8080 of the gateway's pod
              PERMISSIVE.
False alarms  With a port of its own set to PERMISSIVE, or an ingress gateway in front, nothing is
              reset.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    CONTROL_PLANE,
    ControlPlane,
    Endpoint,
    ExposureRoutes,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    NetworkPolicies,
    PodLog,
    answered,
    check,
    failed,
    keptn_answered,
    kubectl,
    ongoing,
    passed,
    quoted,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.HTTP,
    breaks="disconnected",
    explains=(
        "endpoint-unreachable",
        "connection-reset-by-inspection",
        "egress-filtered",
        "service-crash-looping",
        "answered-by-something-else",
        "endpoint-port-refused",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    endpoint: Endpoint | None,
    there: Annotated[NetworkPolicies, CONTROL_PLANE],
    routes: ExposureRoutes | None,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """What the mesh demands, and what happens to the service."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    strict = [
        text
        for text in there.mesh
        if text.startswith("PeerAuthentication")
        and "STRICT" in text
        and "port 8080 PERMISSIVE" not in text
        and "port 8080 DISABLE" not in text
    ]
    if not strict:
        return passed("No mesh demands mutual TLS of the gateway.")
    through_mesh = any(
        r.route_kind == "VirtualService" and endpoint.host in r.hosts
        for r in (routes.routes if routes else ())
    )
    if keptn_answered(local):
        return passed(f"Keptn answers {service.name} in spite of {strict[0]}.")
    told = ongoing(logs, cause=("tcp_reset", "backend_down", "wrong_scheme"))
    if through_mesh or not (told or answered(local)):
        return undecided(f"Whether {strict[0]} keeps {service.name} out was not seen.")
    seen = f": {quoted(told[0])}" if told else f" ({local.registration.status if local else 0})"
    return failed(
        f"{strict[0]} demands mutual TLS at the gateway, and connections of {service.name} are "
        f"broken off{seen}.",
        remedy="Expose the gateway by the mesh's ingress gateway, or make its port 8080 "
        "PERMISSIVE (portLevelMtls).",
        command=kubectl(control_plane, "get peerauthentications -A -o yaml"),
        at_fault=(strict[0],),
    )
