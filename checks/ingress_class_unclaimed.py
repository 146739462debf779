"""The Ingress of the gateway asks for a class that no controller serves.

Meaning       Nobody puts the rules of this Ingress into force, so its host leads nowhere or to a
              default backend.
Decided by    A class that does not exist, and an Ingress that was given no address.
What to do    Set ingressClassName to the class of the controller that runs.
False alarms  A class named by the old annotation needs no object; an Ingress with an address is
              served.
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
        "endpoint-port-refused",
        "endpoint-unreachable",
        "api-path-wrong",
        "answered-by-something-else",
        "egress-filtered",
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
    """Ingresses for the endpoint's host; served is one that got an address."""
    own = [
        route
        for route in routes.routes
        if route.route_kind == "Ingress" and (endpoint.host in route.hosts or not route.hosts)
    ]
    if not own:
        return skipped(f"No Ingress is for {endpoint.host}.")
    if answers is not None and answers.reached == "keptn":
        return passed(f"Keptn answers at {endpoint.url}.")
    unclaimed = [r for r in own if r.class_exists is False and not r.addresses]
    if len(unclaimed) < len(own):
        return passed(f"Ingress {own[0].name} is not without a controller, as far as can be told.")
    ingress = unclaimed[0]
    wanted = f"class {ingress.ingress_class}" if ingress.ingress_class else "no class"
    return failed(
        f"Ingress {ingress.namespace}/{ingress.name} asks for {wanted}, which no controller of the "
        "cluster serves.",
        remedy="Set ingressClassName to a class that exists.",
        command=kubectl(control_plane, "get ingressclasses"),
    )
