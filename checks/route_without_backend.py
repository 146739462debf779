"""The route for the endpoint's host leads to no pod of the gateway.

Meaning       An Ingress, Route or VirtualService names a Service or port that does not exist, or
              was not admitted, so the router answers with an error page of its own.
Decided by    The backend of every route for the host, against the Services of the control plane. A
              router outside the cluster is known by its 502, 503 or 504 to everything, where no
              Keptn shows.
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
    HttpAnswer,
    Layer,
    PodLog,
    check,
    failed,
    kubectl,
    ongoing,
    passed,
    skipped,
    suspected,
)

_NOBODY_BEHIND = (502, 503, 504)


@check(
    about=Endpoint,
    layer=Layer.HTTP,
    breaks="disconnected",
    proven_by="state",
    explained_by=("gateway-down",),
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
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """Routes for the endpoint's host, and whether one of them leads to the gateway."""
    own = [r for r in routes.routes if endpoint.host in r.hosts or not r.hosts]
    if not own:
        if any(route.hosts and route.targets_gateway for route in routes.routes):
            return skipped(f"The routes are for other hosts than {endpoint.host}.")
        return _outside(endpoint, answers, logs)
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


def _outside(
    endpoint: Endpoint, answers: GatewayAnswers | None, logs: tuple[PodLog, ...] | None
) -> Finding:
    """A load balancer or proxy that no object of the cluster shows, by its own error page."""
    pages = (
        [r.answer for r in answers.routes if isinstance(r.answer, HttpAnswer)] if answers else []
    )
    lonely = pages and all(page.status in _NOBODY_BEHIND for page in pages)
    if answers is None or answers.reached != "other" or not lonely:
        return skipped(f"No route is for {endpoint.host}.")
    summary = f"What answers at {endpoint.host} has nobody behind it: {pages[0].status} to all."
    remedy = f"See which targets the load balancer or proxy at {endpoint.host} has."
    if ongoing(logs, cause="backend_down"):
        return failed(summary, remedy=remedy)
    return suspected(summary, remedy=remedy)
