"""The route for the endpoint's host leads to no pod of the gateway.

Meaning       An Ingress, Route or VirtualService names a Service or port that does not exist, or
              was not admitted, so the router answers with an error page of its own.
Decided by    The backend of every route for the host, against the Services of the control plane.
What to do    Let the route name the Service api-gateway-nginx and its port http (80).
False alarms  A second route for the same host that leads to the gateway is enough.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    Endpoint,
    ExposureRoutes,
    Finding,
    GatewayAnswers,
    Layer,
    check,
    failed,
    kubectl,
    passed,
    skipped,
)


@check(
    about=Endpoint,
    layer=Layer.HTTP,
    breaks="disconnected",
    proven_by="state",
    explains=(
        "api-path-wrong",
        "answered-by-something-else",
        "endpoint-unreachable",
        "endpoint-port-refused",
        "service-crash-looping",
    ),
    since="0.1",
)
def judge(
    endpoint: Endpoint,
    *,
    control_plane: ControlPlane,
    routes: ExposureRoutes,
    answers: GatewayAnswers | None,
) -> Finding:
    """Routes for the endpoint's host, and whether one of them leads to the gateway."""
    own = [r for r in routes.routes if endpoint.host in r.hosts or not r.hosts]
    if not own:
        return skipped(f"No route is for {endpoint.host}.")
    if any(route.targets_gateway and route.admitted is not False for route in own):
        return passed(f"A route leads {endpoint.host} to the gateway.")
    if answers is not None and answers.reached == "keptn":
        return passed(f"Keptn answers at {endpoint.url}, whatever the routes say.")
    route = own[0]
    why = (route.reason or "it was not admitted").rstrip(".")
    return failed(
        f"{route.route_kind} {route.namespace}/{route.name} for {endpoint.host} leads to no pod of "
        f"the gateway: {why}.",
        remedy="Let it lead to the Service api-gateway-nginx, port http (80).",
        command=kubectl(
            control_plane,
            f"get {route.route_kind.lower()} {route.name} -o yaml",
            namespace=route.namespace,
        ),
    )
