"""What in a cluster could give a LoadBalancer Service its address, and what stands in its way.

Known by the workloads that do it. A provider that runs outside of the cluster cannot be seen; the
managed platforms' is taken as given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from keptn_doctor.model.kube_facts import GatewayService, LoadBalancerProvider
from keptn_doctor.probes import kube_network_objects as net
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pods import EventIndex, index_events, pod_fact
from keptn_doctor.probes.workloads import scoped
from keptn_doctor.redact import Redactor

_BY_POD = {  # start of a pod's name -> provider
    "svclb-": "klipper",
    "kube-vip": "kube-vip",
    "purelb": "purelb",
    "openelb": "openelb",
    "minikube-tunnel": "minikube tunnel",
}
_MANAGED = {"gke": "GKE", "eks": "EKS", "aks": "AKS"}
_SERVICE_LABEL = "svccontroller.k3s.cattle.io/svcname"
_METALLB = "metallb.io/v1beta1"


async def read_providers(
    kube: KubeClient,
    pods: Iterable[k8s.Pod],
    *,
    gateway: GatewayService | None,
    platform: str,
    served_groups: Iterable[str],
    redactor: Redactor,
) -> LoadBalancerProvider:
    """Providers among all pods of a cluster, and other Services that claim the gateway's port."""
    listed = tuple(pods)
    providers = _providers(listed)
    if platform in _MANAGED:
        providers.add(f"{_MANAGED[platform]} cloud load balancer")
    name = gateway.name if gateway else "api-gateway-nginx"
    own = [pod for pod in listed if _serves(pod, name)]
    events, same_port, defects = await asyncio.gather(
        _events_of(kube, {pod.namespace for pod in own}, redactor),
        _same_port(kube, gateway),
        _metallb_defects(kube, listed, gateway)
        if "metallb" in providers and _METALLB in served_groups
        else _none(),
    )
    return LoadBalancerProvider(
        providers=tuple(sorted(providers)),
        svclb_pods=tuple(pod_fact(pod, redactor=redactor, events=events) for pod in own),
        same_port_services=same_port,
        defects=defects,
    )


async def _none() -> tuple[str, ...]:
    return ()


def _providers(pods: Iterable[k8s.Pod]) -> set[str]:
    found = set()
    for pod in pods:
        if pod.namespace == "metallb-system" or pod.labels.get("app") == "metallb":
            found.add("metallb")
        elif "cloud-controller-manager" in pod.name:
            found.add("cloud-controller-manager")
        else:
            found |= {name for start, name in _BY_POD.items() if pod.name.startswith(start)}
    return found


def _serves(pod: k8s.Pod, service: str) -> bool:
    """Whether a pod is one of k3s's service load balancer for a Service."""
    return pod.labels.get(_SERVICE_LABEL) == service or pod.name.startswith(f"svclb-{service}")


async def _events_of(kube: KubeClient, namespaces: Iterable[str], redactor: Redactor) -> EventIndex:
    found: list[k8s.Event] = []
    for namespace in namespaces:
        try:
            found += await kube.list(scoped("/api/v1", "events", namespace), k8s.Event)
        except WorldFault:
            continue
    return index_events(found, redactor)


async def _same_port(kube: KubeClient, gateway: GatewayService | None) -> tuple[str, ...]:
    """Other LoadBalancer Services with a port of the gateway's, () where they may not be listed."""
    if gateway is None:
        return ()
    try:
        services = await kube.list("/api/v1/services", net.Service)
    except WorldFault:
        return ()
    ports = {p.port for p in gateway.ports}
    return tuple(
        f"{service.namespace}/{service.name}"
        for service in services
        if (service.namespace, service.name) != (gateway.namespace, gateway.name)
        and service.spec
        and service.spec.type == "LoadBalancer"
        and ports & {p.port for p in service.spec.ports or ()}
    )


async def _metallb_defects(
    kube: KubeClient, pods: Iterable[k8s.Pod], gateway: GatewayService | None
) -> tuple[str, ...]:
    """Why MetalLB would give an address that nobody outside hears of; () where it is not told."""
    defects = []
    pools, by_arp, by_bgp = await asyncio.gather(
        _metallb(kube, "ipaddresspools"),
        _metallb(kube, "l2advertisements"),
        _metallb(kube, "bgpadvertisements"),
    )
    if pools == ():
        defects.append("metallb: it has no IPAddressPool to give addresses from")
    if by_arp is not None and by_bgp is not None:
        announced = (*by_arp, *by_bgp)
        if not announced:
            defects.append(
                "metallb: nothing announces its addresses (no L2Advertisement, no BGPAdvertisement)"
            )
        elif pool := _silent_pool(pools or (), announced, gateway):
            defects.append(f"metallb: nothing announces the addresses of its pool {pool}")
    speakers = [
        pod for pod in pods if "speaker" in pod.name and "metallb" in f"{pod.namespace}/{pod.name}"
    ]
    if not any(_is_ready(pod) for pod in speakers):
        defects.append("metallb: no speaker pod is ready")
    return tuple(defects)


async def _metallb(kube: KubeClient, resource: str) -> tuple[net.MetalLb, ...] | None:
    """All objects of one of its kinds, none where it is not served, None where it is refused."""
    try:
        return await kube.list(f"/apis/{_METALLB}/{resource}", net.MetalLb)
    except WorldFault as fault:
        absent = fault.failure.code in {"not-found", "resource-not-served"}
        return () if absent else None


def _silent_pool(
    pools: Iterable[net.MetalLb], announced: Iterable[net.MetalLb], gateway: GatewayService | None
) -> str:
    """The pool of the gateway's address when no advertisement is for it, "" otherwise."""
    given = [entry.ip for entry in gateway.load_balancer if entry.ip] if gateway else []
    for pool in pools:
        ranges = (pool.spec and pool.spec.addresses) or ()
        if any(_in_range(address, text) for address in given for text in ranges):
            return "" if any(_announces(item, pool.name) for item in announced) else pool.name
    return ""


def _announces(advertisement: net.MetalLb, pool: str) -> bool:
    """One that names no pool is for all of them; selectors are given the benefit of the doubt."""
    spec = advertisement.spec or net.MetalLbSpec()
    named = spec.ip_address_pools or ()
    return pool in named or not named or bool(spec.ip_address_pool_selectors)


def _in_range(address: str, text: str) -> bool:
    """``text`` is a network or "first-last", as MetalLB takes them."""
    first, _, last = (part.strip() for part in text.partition("-"))
    try:
        if not last:
            return ip_address(address) in ip_network(first, strict=False)
        low, high, middle = (int(ip_address(part)) for part in (first, last, address))
    except ValueError:
        return False
    return low <= middle <= high


def _is_ready(pod: k8s.Pod) -> bool:
    states = (pod.status and pod.status.conditions) or []
    return any(state.type == "Ready" and state.status == "True" for state in states)
