"""The distributor registers over plain http although its endpoint is https.

Meaning       Distributors 0.8.4 to 0.8.7 use http:// for the registration whatever the endpoint
              says (keptn/keptn 4516). Where only 443 is open, the service polls and works, but
              never shows among the integrations.
Decided by    The distributor's version, an https endpoint, and a registration that fails or is
              missing while polls work.
What to do    Use a newer distributor.
False alarms  Where port 80 is open as well and leads to Keptn, the registration arrives.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    PodLog,
    attribute,
    check,
    failed,
    kubectl,
    ongoing,
    passed,
    quoted,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.REGISTRATION,
    breaks="degraded",
    explains=(
        "not-registered",
        "connections-unsteady",
        "endpoint-unreachable",
        "endpoint-port-refused",
        "heartbeat-stale",
        "egress-filtered",
        "scheme-port-mismatch",
        "api-path-wrong",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    logs: tuple[PodLog, ...] | None,
    listing: IntegrationListing | None,
) -> Finding:
    """The URL in the failing line gives it away."""
    if endpoint is None or endpoint.scheme != "https" or not service.behaviour.registers_over_http:
        return skipped(f"{service.name} registers over the scheme of its endpoint.")
    told = [m for m in ongoing(logs, event=("not_registered", "heartbeat")) if "http://" in m.text]
    record = attribute(service, listing, logs) if listing is not None else None
    if record is not None and record.integration is not None and not told:
        return passed(f"{service.name} is registered, so http is open as well.")
    if not told and record is None:
        return undecided(f"Whether the registration of {service.name} arrives was not seen.")
    seen = f": {quoted(told[0])}" if told else ""
    image = service.image.rpartition(":")[0] or "keptn/distributor"
    target = f"{service.workload_kind.lower()}/{service.name}"
    return failed(
        f"Distributor {service.client_version} of {service.name} registers over http:// although "
        f"its endpoint is https, and the registration does not arrive{seen}.",
        remedy="Use distributor 0.9.0 or later.",
        command=kubectl(
            plane,
            f"set image {target} {service.container}={image}:0.9.2",
            namespace=service.namespace,
        ),
    )
