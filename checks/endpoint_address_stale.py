"""The Keptn service calls an address that is not the gateway's any more.

Meaning       The gateway got another address (a new load balancer, a new node), while the endpoint,
              or the DNS record behind it, still leads to the old one.
Decided by    The address that the service's connections go to, compared with every address by
              which the gateway is exposed now; and that Keptn does not answer there.
What to do    Put the present address into the endpoint, or into the DNS record. A name of one's own
              outlives the next change.
False alarms  A proxy or address translation in front of the gateway has an address that the
              cluster does not know; where Keptn answers, the address is right.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    CONTROL_PLANE,
    OPERATOR_SIDE,
    DnsAnswer,
    Endpoint,
    ExecutionPlane,
    Exposed,
    ExposureRoutes,
    Failure,
    Finding,
    GatewayAnswers,
    GatewayService,
    KeptnService,
    Layer,
    LocalApiAnswer,
    Nodes,
    PodLog,
    PodProbe,
    TcpConnection,
    called,
    check,
    exposed_addresses,
    failed,
    keptn_answered,
    ongoing,
    passed,
    set_variable,
    skipped,
    suspected,
    undecided,
    written_address,
)


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    explained_by=("gateway-not-exposed", "gateway-address-pending", "endpoint-cluster-internal"),
    explains=(
        "endpoint-unreachable",
        "endpoint-port-refused",
        "answered-by-something-else",
        "api-path-wrong",
        "egress-filtered",
        "service-crash-looping",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    plane: ExecutionPlane | None,
    gateway: GatewayService | None,
    routes: ExposureRoutes | None,
    there: Annotated[Nodes | None, CONTROL_PLANE],
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
    probe: PodProbe | None,
    answers: GatewayAnswers | None,
    outside: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
    own: Annotated[DnsAnswer | None, CONTROL_PLANE],
    connection: Annotated[TcpConnection | Failure | None, OPERATOR_SIDE],
) -> Finding:
    """Compare addresses; what is proven needs a failure of the service's own connections."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    if keptn_answered(local):
        return passed(f"Keptn answers {service.name} at {endpoint.host}.")
    exposed = _resolved(exposed_addresses(gateway, routes, there), own)
    names = exposed_addresses(gateway, routes, there).names
    where = called(endpoint, logs, probe, outside)
    if not where.addresses:
        return undecided(f"Which address {service.name} calls was not seen.")
    if all(":" in a for a in where.addresses) and not any(":" in a for a in exposed.addresses):
        return undecided(f"{service.name} calls an IPv6 address; the gateway's are all IPv4.")
    if _leads_to(endpoint, outside, names):
        return passed(f"{endpoint.host} leads to the name of the gateway's load balancer.")
    if not exposed.addresses or exposed.names:
        return undecided(
            f"The addresses of the gateway are not all known, so {endpoint.host} may fit."
        )
    foreign = [address for address in where.addresses if address not in exposed.addresses]
    if not foreign:
        return passed(f"{where.addresses[0]} is an address of the gateway.")
    same_as_here = isinstance(outside, DnsAnswer) and foreign[0] in outside.addresses
    if answers is not None and answers.reached == "keptn" and same_as_here:
        return passed(f"Keptn answers at {foreign[0]}, which its cluster does not know of.")
    now = ", ".join(sorted(exposed.addresses))
    summary = f"{service.name} calls {foreign[0]}, but the gateway has the address {now}."
    remedy = _remedy(endpoint)
    right = f"{endpoint.scheme}://{min(exposed.addresses)}{endpoint.path}"
    command = set_variable(plane, service, f"KEPTN_API_ENDPOINT={right}")
    failing = ongoing(logs, cause=("tcp_timeout", "tcp_refused", "tcp_reset", "wrong_path"))
    tried = failing or local is not None or (probe is not None and probe.connect not in ("", "ok"))
    if tried and (where.certain or isinstance(connection, Failure)):
        everywhere = same_as_here and not written_address(endpoint.host)
        at_fault = (f"record of {endpoint.host}",) if everywhere else ()
        return failed(summary, remedy=remedy, command=command, at_fault=at_fault)
    return suspected(summary, remedy=remedy, command=command)


def _resolved(exposed: Exposed, own: DnsAnswer | None) -> Exposed:
    """The only name of the load balancer, with the addresses that it has from here."""
    if own is None or exposed.names != {own.name} or not own.addresses:
        return exposed
    return Exposed(addresses=exposed.addresses | set(own.addresses))


def _leads_to(
    endpoint: Endpoint, outside: DnsAnswer | Failure | None, names: frozenset[str]
) -> bool:
    """Its addresses may rotate, so a load balancer that has a name is known by the name."""
    found = {endpoint.host}
    if isinstance(outside, DnsAnswer):
        found |= {name.rstrip(".") for name in (*outside.cnames, outside.canonical_name)}
    return bool(found & names)


def _remedy(endpoint: Endpoint) -> str:
    if written_address(endpoint.host):
        return "Put the gateway's present address into KEPTN_API_ENDPOINT."
    return (
        f"Let {endpoint.host} resolve to the gateway's present address where the plane asks, and "
        "wait for old answers to leave the caches."
    )
