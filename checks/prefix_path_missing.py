"""The endpoint leaves out the path that Keptn is installed under.

Meaning       With apiGatewayNginx.prefixPath the gateway knows /<prefix>/api only, and answers 404
              to everything else.
Decided by    The locations in the gateway's configuration, against the path of the endpoint, and
              answers of 404 to the service.
What to do    Put the prefix before /api. The Helm charts' hostname takes no path (their schema
              refuses it); set KEPTN_API_ENDPOINT itself.
False alarms  A proxy in front may add the prefix; a service that is not answered 404 passes.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    Endpoint,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    check,
    failed,
    ongoing,
    passed,
    set_variable,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.HTTP,
    breaks="disconnected",
    explains=(
        "api-path-wrong",
        "service-crash-looping",
        "not-registered",
        "answered-by-something-else",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    components: Components,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """What the gateway serves, and what is asked of it."""
    prefix = components.settings.get("api-gateway-nginx/prefix", "").rstrip("/")
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    if not prefix:
        return passed("The gateway has no prefix path.")
    if endpoint.path.startswith(f"{prefix}/"):
        return passed(f"The endpoint has the gateway's prefix {prefix}.")
    told = ongoing(logs, cause=("wrong_path", "html_answer"))
    missed = local is not None and local.registration.status in (404, 405)
    if not missed and local is not None and local.origin != "distributor":
        return passed(f"{endpoint.url} works without the prefix {prefix}.")
    if not missed and not told:
        return undecided(f"What {endpoint.url} answers to {service.name} was not seen.")
    right = f"{endpoint.scheme}://{endpoint.url.partition('://')[2].partition('/')[0]}{prefix}/api"
    return failed(
        f"Keptn is installed under {prefix}, which {endpoint.url} leaves out, so {service.name} "
        "is answered 404.",
        remedy=f"Let the endpoint be {right}.",
        command=set_variable(plane, service, f"KEPTN_API_ENDPOINT={right}"),
    )
