"""The API gateway is not exposed outside its cluster.

Meaning       api-gateway-nginx is of type ClusterIP, the chart's default, and nothing leads to it
              from outside, so no execution plane in another cluster can reach it.
Decided by    The type of the Service, and every Ingress, Route, VirtualService and HTTPRoute.
What to do    Choose one of the documented ways: LoadBalancer, NodePort or an Ingress.
False alarms  Planes in the control plane's own cluster need no exposure, and a way that leaves no
              trace in the cluster (a VPN, a proxy) is believed when Keptn answers there.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    Endpoint,
    ExecutionPlane,
    ExposureRoutes,
    Finding,
    GatewayAnswers,
    GatewayService,
    HttpAnswer,
    Layer,
    check,
    failed,
    kubectl,
    passed,
    skipped,
    suspected,
)

_HERE = ("://127.", "://localhost", "://[::1]")


@check(
    about=ControlPlane, layer=Layer.CONNECT, breaks="disconnected", proven_by="state", since="0.1"
)
def judge(
    control_plane: ControlPlane,
    *,
    gateway: GatewayService,
    routes: ExposureRoutes | None,
    planes: tuple[ExecutionPlane, ...] | None,
    endpoints: tuple[Endpoint, ...] | None,
    answers: tuple[GatewayAnswers, ...] | None,
) -> Finding:
    """Look for anything that leads to the gateway from outside."""
    leading = [route for route in routes.routes if route.targets_gateway] if routes else []
    if gateway.type in ("LoadBalancer", "NodePort") or gateway.external_ips:
        return passed(f"The gateway's Service is of type {gateway.type}.")
    if leading:
        return passed(f"{leading[0].route_kind} {leading[0].name} leads to the gateway.")
    hosts = {host for route in (routes.routes if routes else ()) for host in route.hosts}
    if any(endpoint.host in hosts for endpoint in endpoints or ()):
        return skipped("A route means to lead to the gateway; see route-without-backend.")
    uid = control_plane.cluster_uid
    elsewhere = [p for p in planes or () if not uid or p.cluster_uid != uid]
    if planes and not elsewhere:
        return skipped("Every execution plane is in the control plane's own cluster.")
    if any(_keptn_answered(item) for item in answers or ()):
        return passed("Keptn answers at an endpoint, by a way that the cluster does not show.")
    named = ", ".join(sorted(e.host for e in endpoints or () if e.host)) or "no endpoint"
    summary = (
        f"The gateway {gateway.namespace}/{gateway.name} is of type {gateway.type} and nothing "
        f"leads to it from outside its cluster (the services call {named})."
    )
    remedy = (
        "Expose it: helm upgrade with apiGatewayNginx.type=LoadBalancer or NodePort (up to 0.16 "
        "control-plane.apiGatewayNginx.type), or an Ingress for it."
    )
    command = kubectl(control_plane, "get service,ingress -o wide", namespace=gateway.namespace)
    if routes is None or routes.unreadable:
        return suspected(f"{summary} Not every kind of route could be read.", remedy=remedy)
    return failed(summary, remedy=remedy, command=command)


def _keptn_answered(answers: GatewayAnswers) -> bool:
    """Keptn was reached, and not by the operator's own port-forward."""
    if answers.reached != "keptn":
        return False
    urls = [item.answer.url for item in answers.routes if isinstance(item.answer, HttpAnswer)]
    return not any(place in url for url in urls for place in _HERE)
