"""The gateway's Service and the endpoints that follow from how it is exposed.

An endpoint is derived as the Keptn documentation and CLI do; whether it works is not asked here.
Source: ``cli/cmd/auth.go@1.4.5``; keptn.github.io ``content/docs/1.0.x/install/access``.
"""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.model.kube_facts import (
    ComponentServices,
    ExposureRoute,
    GatewayService,
    LoadBalancerIngress,
    NodeState,
    ServicePort,
    ServiceState,
)
from keptn_doctor.probes import kube_network_objects as net
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pods import EventIndex
from keptn_doctor.probes.workloads import scoped

GATEWAY = "api-gateway-nginx"
GATEWAY_LABEL = f"app.kubernetes.io/name={GATEWAY}"


async def find_gateways(kube: KubeClient, namespace: str = "") -> tuple[str, ...]:
    """Namespaces that hold a Keptn gateway, in all or in one; by label, then by Service name.

    The label is the only one that all versions from 0.8.3 share. Raises WorldFault when nothing
    was found and Deployments may not be listed: then there may be one all the same.
    """
    refusal: WorldFault | None = None
    deployments: tuple[k8s.Object, ...] = ()
    try:
        deployments = await kube.list(
            scoped("/apis/apps/v1", "deployments", namespace),
            k8s.Object,
            {"labelSelector": GATEWAY_LABEL},
        )
    except WorldFault as fault:
        if fault.failure.code != "forbidden":
            raise
        refusal = fault
    found = {item.namespace or namespace for item in deployments}
    if not found:
        services = await kube.list(
            scoped("/api/v1", "services", namespace),
            k8s.Object,
            {"fieldSelector": f"metadata.name={GATEWAY}"},
        )
        found = {item.namespace or namespace for item in services}
    if refusal and not found:
        raise refusal
    return tuple(sorted(found))


async def read_endpoints(kube: KubeClient, namespace: str) -> dict[str, net.Endpoints] | None:
    """Endpoints of a namespace by name, None when they may not be read."""
    try:
        listed = await kube.list(scoped("/api/v1", "endpoints", namespace), net.Endpoints)
    except WorldFault:
        return None
    return {item.name: item for item in listed}


def services_fact(
    services: Iterable[net.Service],
    endpoints: dict[str, net.Endpoints] | None,
    *,
    namespace: str,
) -> ComponentServices:
    """All Services of a namespace with the count of their backends."""
    return ComponentServices(
        namespace=namespace, services=tuple(_state(service, endpoints) for service in services)
    )


def _state(service: net.Service, endpoints: dict[str, net.Endpoints] | None) -> ServiceState:
    spec = service.spec or net.ServiceSpec()
    ready, waiting, _ = _backends(service.name, endpoints)
    return ServiceState(
        name=service.name,
        cluster_ip=spec.cluster_ip or "",
        ports=tuple(p.port for p in spec.ports or () if p.port),
        created_at=service.created_at,
        ready=ready,
        not_ready=waiting,
    )


def _backends(
    name: str, endpoints: dict[str, net.Endpoints] | None
) -> tuple[int | None, int | None, tuple[str, ...]]:
    """Counts of ready and not ready backends and the nodes of the ready ones."""
    if endpoints is None:
        return None, None, ()
    subsets = (endpoints[name].subsets or []) if name in endpoints else []
    ready = [address for subset in subsets for address in subset.addresses or ()]
    waiting = [address for subset in subsets for address in subset.not_ready_addresses or ()]
    nodes = sorted({address.node_name for address in ready if address.node_name})
    return len(ready), len(waiting), tuple(nodes)


def gateway_fact(
    service: net.Service, endpoints: dict[str, net.Endpoints] | None, *, events: EventIndex
) -> GatewayService:
    """The Service api-gateway-nginx."""
    spec, status = service.spec or net.ServiceSpec(), service.status or net.LoadBalanced()
    ready, waiting, nodes = _backends(service.name, endpoints)
    return GatewayService(
        namespace=service.namespace,
        name=service.name,
        type=spec.type or "ClusterIP",
        cluster_ip=spec.cluster_ip or "",
        ports=tuple(
            ServicePort(
                name=p.name or "",
                port=p.port,
                target=str(p.target_port or ""),
                node_port=p.node_port or 0,
            )
            for p in spec.ports or ()
            if p.port
        ),
        load_balancer=tuple(
            LoadBalancerIngress(ip=a.ip or "", hostname=a.hostname or "") for a in status.addresses
        ),
        load_balancer_class=spec.load_balancer_class or "",
        external_ips=tuple(spec.external_ips or ()),
        source_ranges=tuple(spec.load_balancer_source_ranges or ()),
        external_traffic_policy=spec.external_traffic_policy or "",
        ready_endpoints=ready,
        not_ready_endpoints=waiting,
        endpoint_nodes=nodes,
        created_at=service.created_at,
        selector={key: value or "" for key, value in (spec.selector or {}).items()},
        annotations=service.annotations,
        events=events.get(("Service", service.namespace, service.name), ()),
    )


def derived_endpoints(
    gateway: GatewayService | None,
    routes: Iterable[ExposureRoute],
    nodes: Iterable[NodeState],
    *,
    prefix: str = "",
) -> tuple[str, ...]:
    """Endpoints that the exposure promises, the likeliest first: routes, load balancer, node ports.

    ``prefix`` is the gateway's prefixPath. A host given as a wildcard promises nothing.
    """
    found = [url for route in routes if route.targets_gateway for url in _of_route(route)]
    if gateway is not None:
        found += _of_service(gateway, nodes)
    suffix = f"{prefix.rstrip('/')}/api"
    return tuple(dict.fromkeys(f"{url}{suffix}" for url in found))


def _of_route(route: ExposureRoute) -> list[str]:
    hosts = [host for host in route.hosts if host and "*" not in host]
    if not route.hosts:  # a rule for every host is reached by address
        hosts = list(route.addresses)
    secure = bool(route.tls_termination or route.tls_secret or route.tls_hosts)
    return [f"{'https' if secure else 'http'}://{host}" for host in hosts]


def _of_service(gateway: GatewayService, nodes: Iterable[NodeState]) -> list[str]:
    port = next((p for p in gateway.ports if p.name == "http"), None) or next(
        iter(gateway.ports), None
    )
    if port is None:
        return []
    suffix = "" if port.port == 80 else f":{port.port}"
    addresses = [entry.hostname or entry.ip for entry in gateway.load_balancer]
    urls = [f"http://{host}{suffix}" for host in (*addresses, *gateway.external_ips) if host]
    if gateway.type == "NodePort" and port.node_port:
        listed = tuple(nodes)
        for kind in ("external_addresses", "internal_addresses"):
            urls += [
                f"http://{address}:{port.node_port}"
                for node in listed
                for address in getattr(node, kind)
            ]
    return urls
