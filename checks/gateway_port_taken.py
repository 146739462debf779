"""Another Service holds the port on the nodes that the gateway's load balancer needs.

Meaning       k3s and k3d give a LoadBalancer Service its port on the nodes themselves. Where
              Traefik or another Service has it already, the gateway gets none, and whoever calls
              that port meets the other one.
Decided by    Pods of the gateway's svclb DaemonSet that no node has "free ports" for.
What to do    Expose the gateway on another port, or remove the other Service.
False alarms  While some node still has the port free, or a route leads to the gateway, it is
              reached by that.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
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
)


@check(
    about=ControlPlane,
    layer=Layer.HTTP,
    breaks="disconnected",
    proven_by="state",
    explains=(
        "gateway-address-pending",
        "endpoint-port-refused",
        "endpoint-unreachable",
        "api-path-wrong",
        "answered-by-something-else",
        "service-crash-looping",
        "not-registered",
    ),
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    provider: LoadBalancerProvider,
    gateway: GatewayService | None,
    routes: ExposureRoutes | None,
) -> Finding:
    """Scheduling of the pods that would bind the port tells."""
    if gateway is not None and gateway.type != "LoadBalancer":
        return skipped(f"The gateway's Service is of type {gateway.type}.")
    if not provider.svclb_pods:
        return skipped("No load balancer of the nodes themselves (svclb) serves the gateway.")
    blocked = [pod for pod in provider.svclb_pods if lacks_free_port(pod)]
    if not blocked:
        return passed("The gateway's load balancer pods have their port.")
    others = ", ".join(provider.same_port_services)
    holder = f"; {others} claims the same port" if others else ""
    led = routes is not None and any(route.targets_gateway for route in routes.routes)
    some = led or len(blocked) < len(provider.svclb_pods)
    return failed(
        f"{len(blocked)} of {len(provider.svclb_pods)} load balancer pods of the gateway find "
        f"their port taken on the node{holder}.",
        remedy="Set apiGatewayNginx.port to a free port (and put it into the endpoints), or remove "
        "the Service that holds the port (k3s: --disable traefik).",
        command=kubectl(control_plane, "get services -A --field-selector spec.type=LoadBalancer"),
        breaks="nothing" if some else "as-declared",
        severity="warning" if some else "error",
    )
