"""The endpoint leads to another Keptn than the one that is looked at.

Meaning       A staging installation, another namespace or an address that both sites use: the
              service talks to a Keptn, but not to this one, and is missing here.
Decided by    The integrations that the service itself is shown, against those of this control
              plane; or another Keptn version, or another address, at its endpoint.
What to do    Correct the endpoint (and the token with it), or point keptn-doctor at the other one.
False alarms  The same control plane by another name lists the same integrations.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    CONTROL_PLANE,
    OPERATOR_SIDE,
    ControlPlane,
    DnsAnswer,
    Endpoint,
    ExecutionPlane,
    ExposureRoutes,
    Failure,
    Finding,
    GatewayAnswers,
    GatewayService,
    IntegrationListing,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    attribute,
    called,
    check,
    exposed_addresses,
    failed,
    freshness,
    is_same_list,
    known_integrations,
    ongoing,
    passed,
    set_variable,
    shown_integrations,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.HTTP,
    breaks="disconnected",
    explains=(
        "token-rejected",
        "token-differs",
        "not-registered",
        "registration-gone",
        "heartbeat-stale",
        "service-crash-looping",
        "endpoint-address-stale",
        "no-subscription",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    control_plane: ControlPlane,
    endpoint: Endpoint | None,
    answers: GatewayAnswers | None,
    listing: IntegrationListing | None,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
    gateway: GatewayService | None,
    routes: ExposureRoutes | None,
    outside: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
    at_home: Annotated[GatewayAnswers | None, CONTROL_PLANE],
) -> Finding:
    """Two lists that share little, or two versions, are two control planes."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    remedy = "Correct the host of the endpoint and the token that goes with it."
    command = set_variable(
        plane, service, f"KEPTN_API_ENDPOINT={control_plane.api_url or 'https://<host>/api'}"
    )
    shown = shown_integrations(local) if local is not None else None
    if local is not None and listing is not None and listing.integrations and shown is not None:
        known = known_integrations(local, listing)
        if is_same_list(shown, known):
            return passed(f"{service.name} is shown the integrations of this control plane.")
        name = f" named {local.only_name}" if local.only_name else ""
        return failed(
            f"The Keptn at {endpoint.url} is another one: of the {len(known)} integrations{name} "
            f"that this control plane knows, it shows {service.name} "
            f"{len(shown & known) or 'none'}.",
            remedy=remedy,
            command=command,
        )
    own = attribute(service, listing, logs).integration if listing is not None else None
    if own is not None and listing is not None and freshness(own, listing).state == "fresh":
        return passed(f"{service.name} is registered and alive at this control plane.")
    there = _version(answers)
    if not there:
        return undecided(f"Which Keptn answers at {endpoint.url} was not seen.")
    here = _version(at_home) or control_plane.version
    where = called(endpoint, logs, None, outside)
    exposed = exposed_addresses(gateway, routes, None)
    if set(where.addresses) & exposed.addresses:
        return passed(f"{endpoint.host} is an address of this control plane's gateway.")
    known_apart = bool(exposed.addresses and not exposed.names and where.addresses)
    if here and here != there:
        why = f"it is version {there}, this one {here}"
    elif known_apart and ongoing(logs, cause="bad_token"):
        why = f"its address {where.addresses[0]} is none of this gateway's"
    else:
        return passed(f"The Keptn at {endpoint.url} is of the same version, {there}.")
    return failed(
        f"The Keptn at {endpoint.url} is another one than {control_plane.name}: {why}.",
        remedy=remedy,
        command=command,
    )


def _version(answers: GatewayAnswers | None) -> str:
    """As Keptn's own description has it; that of an image may be written otherwise."""
    reached = answers is not None and answers.reached == "keptn"
    return answers.keptn_version if answers is not None and reached else ""
