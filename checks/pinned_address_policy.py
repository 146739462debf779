"""A NetworkPolicy permits single addresses, and the gateway's present one is not among them.

Meaning       job-executor-service's chart (0.2.4 to 0.3.0) writes the addresses that the gateway's
              name had at installation into its egress policy. When they change, the service is cut
              off without any change in its own cluster.
Decided by    The single addresses (/32, /128) in the policies that select the service's pods,
              against the address that the service calls.
What to do    Upgrade the release with the same values, which looks the name up again, or switch
              the chart's policy off (networkPolicy.egress.enabled=false).
False alarms  A service that gets answers passes, whatever the policies say.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    OPERATOR_SIDE,
    DnsAnswer,
    Endpoint,
    ExecutionPlane,
    Failure,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    NetworkPolicies,
    PodLog,
    PodProbe,
    SdkHealth,
    called,
    check,
    failed,
    gets_through,
    kubectl,
    names_of,
    passed,
    permits,
    pinned_addresses,
    restricting,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    proven_by="state",
    explains=("endpoint-unreachable", "service-crash-looping", "endpoint-port-refused"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    policies: NetworkPolicies,
    local: LocalApiAnswer | None,
    health: SdkHealth | None,
    logs: tuple[PodLog, ...] | None,
    probe: PodProbe | None,
    outside: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
) -> Finding:
    """Objects decide, unless the service is seen to get through."""
    if endpoint is None or not endpoint.port:
        return skipped(f"{service.name} has no endpoint with a port.")
    if gets_through(local, health, logs):
        return passed(f"{service.name} gets an answer from {endpoint.host}.")
    selected = restricting(policies, service)
    pinned = pinned_addresses(selected, endpoint.port)
    if not pinned:
        return passed(f"No policy ties {service.name} to single addresses.")
    where = called(endpoint, logs, probe, outside).addresses
    if not where:
        return undecided(f"Which address {service.name} calls was not seen.")
    if any(permits(selected, a, endpoint.port) for a in where):
        return passed(f"The policies let {service.name} call {where[0]}.")
    return failed(
        f"{names_of(selected)} lets {service.name} call {', '.join(pinned)} only, but "
        f"{endpoint.host} is {where[0]}.",
        remedy="Upgrade the release with its own values, so that its policy gets the present "
        "address, or permit a range.",
        command=kubectl(plane, "get networkpolicies -o yaml", namespace=service.namespace),
    )
