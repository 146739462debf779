"""The host that the Keptn service calls is in no rule that leads to the gateway.

Meaning       An ingress controller or router is reached, but its rules are for another host, so its
              default backend answers (404, or 503 from OpenShift's router).
Decided by    Hosts of every route to the gateway, against the host of the endpoint, and an answer
              to the service that is not Keptn's.
What to do    Correct the host in the endpoint, or in the rule of the Ingress or Route.
False alarms  A rule without a host is for every host; a load balancer of the gateway's own asks for
              none.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    ExposureRoutes,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    answered,
    check,
    failed,
    keptn_answered,
    ongoing,
    passed,
    quoted,
    set_variable,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.HTTP,
    breaks="disconnected",
    explained_by=("endpoint-address-stale", "gateway-port-taken"),
    explains=(
        "api-path-wrong",
        "answered-by-something-else",
        "service-crash-looping",
        "not-registered",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    routes: ExposureRoutes,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """Hosts of the rules; what was answered tells whether it matters."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    leading = [route for route in routes.routes if route.targets_gateway]
    if not leading:
        return skipped("No route leads to the gateway.")
    hosts = [host for route in leading for host in route.hosts]
    if any(not route.hosts for route in leading):
        return passed("A route leads every host to the gateway.")
    if any(fnmatchcase(endpoint.host.lower(), host.lower()) for host in hosts):
        return passed(f"A route leads {endpoint.host} to the gateway.")
    if keptn_answered(local):
        return passed(f"Keptn answers {service.name} at {endpoint.host}.")
    kinds = f"{leading[0].route_kind} {leading[0].name}"
    told = ongoing(logs, cause=("wrong_path", "html_answer", "backend_down", "forbidden"))
    if answered(local) or told:
        seen = quoted(told[0]) if told else f"{local.registration.status if local else 0}"
        scheme = "https" if any(r.tls_hosts or r.tls_termination for r in leading) else "http"
        return failed(
            f"{service.name} calls {endpoint.host}, but {kinds} is for {', '.join(hosts)}; the "
            f"answer is not Keptn's: {seen}.",
            remedy=f"Call {hosts[0]}, or add a rule for {endpoint.host}.",
            command=set_variable(
                plane, service, f"KEPTN_API_ENDPOINT={scheme}://{hosts[0]}{endpoint.path}"
            ),
            at_fault=(f"no route for {endpoint.host.lower()}",),
        )
    return undecided(f"{kinds} is for {', '.join(hosts)}; what answers elsewhere was not seen.")
