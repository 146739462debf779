"""The gateway's list of permitted sources leaves the execution plane out.

Meaning       loadBalancerSourceRanges of the Service, or the allow-list of its Ingress, names
              networks, and connections from the plane come from none of them.
Decided by    The list, together with connections of the Keptn service that get no answer (or 403
              from the Ingress), while others are let in.
What to do    Add the address that the plane's connections come from (its NAT address) to the list.
False alarms  A list that holds a node address of the plane, or 0.0.0.0/0, keeps nobody out here.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Annotated

from keptn_doctor.api import (
    OPERATOR_SIDE,
    ControlPlane,
    DnsAnswer,
    Endpoint,
    ExposureRoutes,
    Failure,
    Finding,
    GatewayService,
    KeptnService,
    Layer,
    LocalApiAnswer,
    Nodes,
    PodLog,
    PodProbe,
    answered,
    called,
    check,
    exposed_addresses,
    failed,
    kubectl,
    ongoing,
    passed,
    skipped,
    undecided,
)

_LISTS = ("whitelist-source-range", "allowlist-source-range")


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    explained_by=(
        "egress-denied-by-policy",
        "pinned-address-policy",
        "endpoint-address-stale",
        "load-balancer-not-announced",
    ),
    explains=(
        "endpoint-unreachable",
        "egress-filtered",
        "answered-by-something-else",
        "service-crash-looping",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    endpoint: Endpoint | None,
    gateway: GatewayService | None,
    routes: ExposureRoutes | None,
    logs: tuple[PodLog, ...] | None,
    local: LocalApiAnswer | None,
    probe: PodProbe | None,
    nodes: Nodes | None,
    outside: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
) -> Finding:
    """A list alone excludes nobody; a connection that is dropped in its face does."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    ranges = _ranges(gateway, routes, endpoint)
    if ranges is None:
        return undecided("Neither the gateway's Service nor a route to it could be read.")
    if not ranges:
        return passed("The gateway restricts no source addresses.")
    own = [a for node in (nodes.nodes if nodes else ()) for a in node.external_addresses]
    if any(_within(address, ranges) for address in own) or "0.0.0.0/0" in ranges:
        return passed(f"The permitted sources include {service.plane}.")
    where = called(endpoint, logs, probe, outside)
    exposed = exposed_addresses(gateway, routes, None).addresses
    if where.certain and exposed and not set(where.addresses) & exposed:
        return skipped(f"{service.name} does not call an address of the gateway.")
    refused = local is not None and local.registration.status == 403
    refused = refused or bool(_of_routes(routes, endpoint) and ongoing(logs, cause="forbidden"))
    told = ongoing(logs, cause="tcp_timeout")
    silent = probe is not None and probe.connect == "connect-timeout"
    if refused or ((told or silent) and not answered(local)):
        how = "are refused (403)" if refused else "get no answer"
        return failed(
            f"The gateway lets only {', '.join(ranges)} in, and connections of {service.name} "
            f"{how}.",
            remedy=f"Add the address that connections of {service.plane} come from to the list.",
            command=kubectl(
                control_plane,
                "get service api-gateway-nginx -o jsonpath='{.spec.loadBalancerSourceRanges}'",
                namespace=control_plane.namespace,
            ),
        )
    if answered(local):
        return passed(f"{service.name} is let in.")
    return undecided(f"Whether {service.name} is among {', '.join(ranges)} was not seen.")


def _ranges(
    gateway: GatewayService | None, routes: ExposureRoutes | None, endpoint: Endpoint
) -> tuple[str, ...] | None:
    """The permitted networks, () when everybody may call, None when nothing could be read."""
    if gateway is None and routes is None:
        return None
    found = _of_routes(routes, endpoint)
    return found or (gateway.source_ranges if gateway is not None else ())


def _of_routes(routes: ExposureRoutes | None, endpoint: Endpoint) -> tuple[str, ...]:
    """The networks that the Ingress of the endpoint's host lets in."""
    own = [r for r in (routes.routes if routes else ()) if endpoint.host in r.hosts]
    notes = [v for r in own for k, v in r.annotations.items() if k.endswith(_LISTS)]
    return tuple(entry for note in notes for part in note.split(",") if (entry := part.strip()))


def _within(address: str, ranges: Iterable[str]) -> bool:
    try:
        return any(ip_address(address) in ip_network(text, strict=False) for text in ranges)
    except ValueError:
        return False
