"""NetworkPolicies of a plane as rules for its packets.

All policies that select a pod are joined, as Kubernetes does; peers given by selectors mean the
cluster itself, which matters here for DNS alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from keptn_doctor.lab import settings as sim
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.cluster import DNS_ADDRESS, SYSTEM
from keptn_doctor.lab.workloads import KINDS, Controllers

_CLUSTER = "10.96.0.0/12"
_DNS_LABELS = {"app": "coredns", "k8s-app": "kube-dns"}


def egress_of_policies(controllers: Controllers) -> tuple[sim.EgressSettings, ...]:
    """One rule set per workload that any egress policy selects."""
    found = []
    for workload in (w for kind in KINDS for w in controllers.inventory.of(kind)):
        meta = workload["metadata"]
        labels = (workload["spec"].get("template") or {}).get("metadata", {}).get("labels") or {}
        home = str(meta.get("namespace"))
        policies = [p for p in _restricting(controllers, home) if _selects(p, labels)]
        if policies:
            found.append(_joined(f"{home}/{meta['name']}", policies, controllers))
    return tuple(found)


def policies_selecting(
    controllers: Controllers, home: str, labels: dict[str, str]
) -> tuple[str, ...]:
    """The names of the egress policies of a namespace that select a pod with these labels."""
    restricting = _restricting(controllers, home)
    return tuple(str(p["metadata"]["name"]) for p in restricting if _selects(p, labels))


def _restricting(controllers: Controllers, home: str) -> Iterator[Object]:
    for policy in controllers.inventory.of("NetworkPolicy", home):
        spec = policy.get("spec") or {}
        kinds = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else [])
        if "Egress" in kinds:
            yield policy


def _selects(policy: Object, labels: dict[str, str]) -> bool:
    selector = (policy.get("spec") or {}).get("podSelector") or {}
    return _matches(selector, labels)


def _matches(selector: Object, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels") or {}
    if not wanted.items() <= labels.items():
        return False
    for row in selector.get("matchExpressions") or []:
        value, values = labels.get(str(row.get("key"))), row.get("values") or []
        holds = {
            "In": value in values, "NotIn": value not in values, "Exists": value is not None,
            "DoesNotExist": value is None,
        }  # fmt: skip
        if not holds.get(str(row.get("operator")), False):
            return False
    return True


def _joined(
    service: str, policies: list[Object], controllers: Controllers
) -> sim.EgressSettings:
    allow: list[sim.EgressRule] = []
    dns = False
    for policy in policies:
        for rule in (policy.get("spec") or {}).get("egress") or []:
            peers = rule.get("to") or []
            dns = dns or (_allows_dns_port(rule) and _reaches_dns(peers, controllers))
            ports = _tcp_ports(rule)
            if ports is None:
                continue
            if not peers:
                allow.append(sim.EgressRule(ports=ports))
            for peer in peers:
                cidr = (peer.get("ipBlock") or {}).get("cidr") or _CLUSTER
                allow.append(sim.EgressRule(cidr=str(cidr), ports=ports))
    return sim.EgressSettings(
        applies_to=(service,), default="drop", allow=tuple(allow), dns="allow" if dns else "drop"
    )


def _tcp_ports(rule: Object) -> tuple[int, ...] | None:
    """The TCP ports of a rule; empty = all, None = none."""
    rows = rule.get("ports") or []
    if not rows:
        return ()
    tcp = [row for row in rows if row.get("protocol", "TCP") == "TCP"]
    if any("port" not in row for row in tcp):
        return ()
    ports: list[int] = []
    for row in tcp:
        if isinstance(row["port"], int):
            ports += range(row["port"], int(row.get("endPort") or row["port"]) + 1)
    return tuple(ports) or None


def _allows_dns_port(rule: Object) -> bool:
    rows = rule.get("ports") or []
    return not rows or any(
        row.get("protocol") == "UDP" and row.get("port", 53) in {53, "dns"} for row in rows
    )


def _reaches_dns(peers: list[Object], controllers: Controllers) -> bool:
    if not peers:
        return True
    system = controllers.inventory.get("Namespace", "", SYSTEM) or {}
    labels = {
        "kubernetes.io/metadata.name": SYSTEM,
        **((system.get("metadata") or {}).get("labels") or {}),
    }
    for peer in peers:
        block = peer.get("ipBlock")
        if block is not None:
            if ip_address(DNS_ADDRESS) in ip_network(str(block.get("cidr")), strict=False):
                return True
            continue
        spaces = peer.get("namespaceSelector")
        if spaces is None or not _matches(spaces, labels):
            continue
        if _matches(peer.get("podSelector") or {}, _DNS_LABELS):
            return True
    return False
