"""Which addresses a Keptn service calls, and which ones the gateway has: what a check compares.

What the client wrote in its log about its own connections comes first; an address inside the host
(a literal one, nip.io) is as good; what the operator's name server says is only an assumption.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import PodLog, PodProbe
from keptn_doctor.model.kube_facts import ExposureRoutes, GatewayService, Nodes
from keptn_doctor.model.path_facts import DnsAnswer
from keptn_doctor.model.topology import Endpoint
from keptn_doctor.reading.log import troubles

_WRITTEN = re.compile(r"(?:^|\.)(\d{1,3}(?:[.-]\d{1,3}){3})\.(?:nip|sslip|xip)\.io$")


class Called(Record, frozen=True, kw_only=True):
    """Addresses that a service's connections go to; ``certain`` = seen, not resolved here."""

    addresses: tuple[str, ...] = ()
    certain: bool = False


class Exposed(Record, frozen=True, kw_only=True):
    """Addresses by which the gateway can be called now; names among them stand for more."""

    addresses: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


def called(
    endpoint: Endpoint,
    logs: Iterable[PodLog] | None,
    probe: PodProbe | None,
    dns: DnsAnswer | Failure | None,
) -> Called:
    """Where the connections of a service to its endpoint go."""
    written = written_address(endpoint.host)
    if written:
        return Called(addresses=(written,), certain=True)
    told = [match.captures["dialled"] for match in troubles(logs) if "dialled" in match.captures]
    if told:
        return Called(addresses=tuple(dict.fromkeys(told)), certain=True)
    if probe is not None and probe.addresses:
        return Called(addresses=probe.addresses, certain=True)
    return Called(addresses=dns.addresses if isinstance(dns, DnsAnswer) else ())


def written_address(host: str) -> str:
    """The address that a host itself spells, literally or for nip.io and the like; "" if none."""
    spelt = _WRITTEN.search(host)
    try:
        return str(ip_address(spelt[1].replace("-", ".") if spelt else host.strip("[]")))
    except ValueError:
        return ""


def exposed_addresses(
    gateway: GatewayService | None, routes: ExposureRoutes | None, nodes: Nodes | None
) -> Exposed:
    """Every address of the load balancer, the nodes (with node ports) and the routes."""
    found: list[str] = []
    if gateway is not None:
        found += [entry.ip or entry.hostname for entry in gateway.load_balancer]
        found += gateway.external_ips
        if nodes is not None and any(port.node_port for port in gateway.ports):
            found += [address for node in nodes.nodes for address in node.internal_addresses]
            found += [address for node in nodes.nodes for address in node.external_addresses]
    for route in routes.routes if routes is not None else ():
        found += route.addresses
        if route.route_kind not in ("Ingress", "Route") or not route.addresses:
            found.append(f"the controller of {route.route_kind} {route.name}")
    return Exposed(
        addresses=frozenset(a for a in found if written_address(a) == a),
        names=frozenset(a for a in found if a and written_address(a) != a),
    )


def is_private(address: str) -> bool:
    """RFC 1918, RFC 6598 (carrier-grade NAT), link-local and unique local addresses."""
    return holds_private(address)


def holds_private(cidr: str) -> bool:
    """Whether a network has private addresses in it."""
    network = ip_network(cidr, strict=False)
    return any(network.version == own.version and network.overlaps(own) for own in _PRIVATE)


_PRIVATE: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
        "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
