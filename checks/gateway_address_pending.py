"""The gateway's load balancer has no address.

Meaning       The Service api-gateway-nginx asks for a load balancer, but nothing in the cluster
              gave it one, so there is no address to call.
Decided by    Type LoadBalancer with an empty status, for more than two minutes, and no other way.
What to do    Install something that hands out addresses (MetalLB, the cloud's controller), widen
              its pool, or use NodePort or an Ingress.
False alarms  A host name in place of an address counts as one (AWS). An Ingress or the node port
              of the same Service may serve instead.
"""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.api import (
    ControlPlane,
    Endpoint,
    ExposureRoutes,
    Finding,
    GatewayService,
    Layer,
    LoadBalancerProvider,
    check,
    failed,
    kubectl,
    lacks_free_port,
    passed,
    skipped,
    spoken_age,
    undecided,
)

_PATIENCE_S = 120


@check(
    about=ControlPlane, layer=Layer.CONNECT, breaks="disconnected", proven_by="state", since="0.1"
)
def judge(
    control_plane: ControlPlane,
    *,
    gateway: GatewayService,
    routes: ExposureRoutes | None,
    provider: LoadBalancerProvider | None,
    endpoints: tuple[Endpoint, ...] | None,
    taken_at: datetime,
) -> Finding:
    """An empty load balancer status, unless something else leads to the gateway."""
    if gateway.type != "LoadBalancer":
        return skipped(f"The gateway's Service is of type {gateway.type}.")
    given = [entry.ip or entry.hostname for entry in gateway.load_balancer]
    if given:
        return passed(f"The gateway's load balancer has the address {given[0]}.")
    if provider is not None and any(map(lacks_free_port, provider.svclb_pods)):
        return skipped("The nodes would be its load balancer; see gateway-port-taken.")
    if gateway.external_ips:
        return passed(f"The gateway's Service has the external address {gateway.external_ips[0]}.")
    age = (taken_at - gateway.created_at).total_seconds() if gateway.created_at else None
    if age is not None and age < _PATIENCE_S:
        return undecided(f"The gateway's Service is {age:.0f} s old and may get an address yet.")
    if routes and any(route.targets_gateway for route in routes.routes):
        return passed("The load balancer has no address, but a route leads to the gateway.")
    node_ports = {port.node_port for port in gateway.ports if port.node_port}
    if any(endpoint.port in node_ports for endpoint in endpoints or ()):
        return passed("The load balancer has no address, but its node port is used.")
    return failed(
        f"The gateway {gateway.namespace}/{gateway.name} has waited {spoken_age(age)} for a load "
        f"balancer address{_why(gateway, provider)}.",
        remedy="Install or mend what hands out addresses, or use NodePort or an Ingress.",
        command=kubectl(
            control_plane, f"describe service {gateway.name}", namespace=gateway.namespace
        ),
    )


def _why(gateway: GatewayService, provider: LoadBalancerProvider | None) -> str:
    warnings = [event for event in gateway.events if event.type == "Warning"]
    if warnings:
        return f": {warnings[0].message.rstrip('.')}"
    if provider is not None and not provider.providers:
        return "; nothing in the cluster hands out any"
    return ""
