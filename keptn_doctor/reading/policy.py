"""What the NetworkPolicies that select a Keptn service let out, as Kubernetes joins them.

All policies that select a pod are joined: what any of their rules permits is permitted. A peer
chosen by selectors is a pod of the same cluster and never an address outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from keptn_doctor.model.kube_facts import EgressRule, NetworkPolicies, NetworkPolicy
from keptn_doctor.model.topology import KeptnService
from keptn_doctor.reading.address import holds_private

DNS_PORT = 53


def restricting(policies: NetworkPolicies, service: KeptnService) -> tuple[NetworkPolicy, ...]:
    """The policies that restrict what the service's pods may call."""
    return tuple(
        policy
        for policy in policies.policies
        if service.subject in policy.selects and policy.egress is not None
    )


def permits(policies: Iterable[NetworkPolicy], address: str, port: int) -> bool:
    """Whether a TCP connection to an address outside the cluster is let out."""
    return any(
        _has_port(rule, "TCP", port) and _has_peer(rule, address) for rule in _rules(policies)
    )


def permits_dns(policies: Iterable[NetworkPolicy]) -> bool:
    """Whether queries to the cluster's name servers can get out by any rule.

    Name servers are pods or node-local addresses, so a rule of any kind counts that has the port;
    one with addresses counts only if there are private ones among them.
    """
    return any(
        (_has_port(rule, "UDP", DNS_PORT) or _has_port(rule, "UDP", 5353))
        and (rule.selectors or not rule.cidrs or any(holds_private(cidr) for cidr in rule.cidrs))
        for rule in _rules(policies)
    )


def pinned_addresses(policies: Iterable[NetworkPolicy], port: int) -> tuple[str, ...]:
    """Single addresses that rules for a port name: "203.0.113.7/32"."""
    found = [
        cidr
        for rule in _rules(policies)
        if _has_port(rule, "TCP", port)
        for cidr in rule.cidrs
        if ip_network(cidr, strict=False).num_addresses == 1
    ]
    return tuple(dict.fromkeys(found))


def names_of(policies: Iterable[NetworkPolicy]) -> str:
    """The policies for a sentence: "keptn-exec/default-deny, keptn-exec/more"."""
    return ", ".join(sorted(f"{policy.namespace}/{policy.name}" for policy in policies))


def _rules(policies: Iterable[NetworkPolicy]) -> list[EgressRule]:
    return [rule for policy in policies for rule in policy.egress or ()]


def _has_peer(rule: EgressRule, address: str) -> bool:
    if not rule.cidrs:
        return not rule.selectors
    return _within(address, rule.cidrs) and not _within(address, rule.except_cidrs)


def _within(address: str, cidrs: Iterable[str]) -> bool:
    return any(ip_address(address) in ip_network(cidr, strict=False) for cidr in cidrs)


def _has_port(rule: EgressRule, protocol: str, port: int) -> bool:
    return not rule.ports or any(_is_port(text, protocol, port) for text in rule.ports)


def _is_port(text: str, protocol: str, port: int) -> bool:
    """``text`` is like UDP/53, TCP/8000-9000 or TCP/*; a port's name fits nothing outside."""
    kind, _, numbers = text.partition("/")
    first, _, last = numbers.partition("-")
    if kind != protocol:
        return False
    if numbers == "*":
        return True
    return first.isdigit() and int(first) <= port <= int(last or first)
