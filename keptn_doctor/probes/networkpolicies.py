"""NetworkPolicies that bear on a Keptn service or the gateway, and signs of a service mesh.

A policy is flattened to what a check can reason about. Policies of a network plugin's own kinds
(Cilium, Calico) are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from keptn_doctor.model.kube_facts import EgressRule, NetworkPolicy
from keptn_doctor.probes import kube_network_objects as net
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.workloads import scoped

_PEER_AUTHENTICATION = ("security.istio.io/v1", "security.istio.io/v1beta1")
_SIDECARS = {"istio-proxy": "istio", "linkerd-proxy": "linkerd"}


async def read_policies(kube: KubeClient, namespace: str) -> tuple[net.NetworkPolicy, ...]:
    """All policies of a namespace."""
    path = scoped("/apis/networking.k8s.io/v1", "networkpolicies", namespace)
    return await kube.list(path, net.NetworkPolicy)


def policies_on(
    policies: Iterable[net.NetworkPolicy], subjects: Mapping[str, tuple[str, dict[str, str]]]
) -> tuple[NetworkPolicy, ...]:
    """The policies that select one of the subjects.

    ``subjects`` maps a subject path to the namespace and labels of its pods.
    """
    found = []
    for policy in policies:
        spec = policy.spec or net.NetworkPolicySpec()
        selected = tuple(
            path
            for path, (namespace, labels) in subjects.items()
            if namespace == policy.namespace and selects(spec.pod_selector, labels)
        )
        if selected:
            found.append(_policy(policy, spec, selected))
    return tuple(found)


def selects(selector: k8s.LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector picks a set of labels; an empty one picks everything."""
    if selector is None:
        return True
    exact = selector.match_labels or {}
    if any(labels.get(key) != (value or "") for key, value in exact.items()):
        return False
    return all(_meets(item, labels) for item in selector.match_expressions or ())


def _meets(item: k8s.LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(item.key or "")
    match item.operator:
        case "In":
            return value in (item.values or ())
        case "NotIn":
            return value not in (item.values or ())
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False


def _policy(
    policy: net.NetworkPolicy, spec: net.NetworkPolicySpec, selected: tuple[str, ...]
) -> NetworkPolicy:
    """Without ``policyTypes`` a policy is for ingress, and for egress if it has such rules."""
    types = spec.policy_types or (["Ingress", "Egress"] if spec.egress else ["Ingress"])
    inwards = spec.ingress or ()
    open_inwards = any(not rule.from_ and not rule.ports for rule in inwards)
    return NetworkPolicy(
        namespace=policy.namespace,
        name=policy.name,
        selects=selected,
        egress=tuple(_egress(rule) for rule in spec.egress or ()) if "Egress" in types else None,
        ingress_restricted="Ingress" in types and not open_inwards,
        ingress_cidrs=tuple(
            peer.ip_block.cidr
            for rule in inwards
            for peer in rule.from_ or ()
            if peer.ip_block and peer.ip_block.cidr
        ),
    )


def _egress(rule: net.EgressRule) -> EgressRule:
    blocks = [peer.ip_block for peer in rule.to or () if peer.ip_block]
    return EgressRule(
        cidrs=tuple(block.cidr or "" for block in blocks),
        except_cidrs=tuple(cidr for block in blocks for cidr in block.except_ or ()),
        selectors=any(peer.pod_selector or peer.namespace_selector for peer in rule.to or ()),
        ports=tuple(_port(port) for port in rule.ports or ()),
    )


def _port(port: net.PolicyPort) -> str:
    upto = f"-{port.end_port}" if port.end_port else ""
    return f"{port.protocol or 'TCP'}/{port.port if port.port is not None else '*'}{upto}"


def sidecars(pods: Iterable[k8s.Pod]) -> tuple[str, ...]:
    """Mesh sidecars in pods: "istio sidecar in helm-service-abc"."""
    found = []
    for pod in pods:
        spec = pod.spec or k8s.PodSpec()
        names = [c.name or "" for c in (*(spec.containers or ()), *(spec.init_containers or ()))]
        meshes = {_SIDECARS[name] for name in names if name in _SIDECARS}
        found += [f"{mesh} sidecar in {pod.name}" for mesh in sorted(meshes)]
    return tuple(found)


async def mutual_tls(
    kube: KubeClient, namespace: str, *, served_groups: Iterable[str]
) -> tuple[str, ...]:
    """Istio's demands for mutual TLS in a namespace: "PeerAuthentication keptn/default STRICT"."""
    version = next((v for v in _PEER_AUTHENTICATION if v in served_groups), "")
    if not version:
        return ()
    found = []
    for where in dict.fromkeys((namespace, "istio-system")):  # the mesh's own default lives there
        path = scoped(f"/apis/{version}", "peerauthentications", where)
        try:
            listed = await kube.list(path, net.PeerAuthentication)
        except WorldFault:
            continue
        found += [_demand(item) for item in listed]
    return tuple(found)


def _demand(item: net.PeerAuthentication) -> str:
    spec = item.spec or net.PeerAuthenticationSpec()
    mode = (spec.mtls or {}).get("mode", "UNSET")
    ports = ", ".join(
        f"port {port} {(setting or {}).get('mode', 'UNSET')}"
        for port, setting in (spec.port_level_mtls or {}).items()
    )
    return f"PeerAuthentication {item.namespace}/{item.name} {mode}" + (f" ({ports})" * bool(ports))
