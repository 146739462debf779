"""Kubernetes objects of the network as narrowly as the doctor reads them; see ``kube_objects``."""

from __future__ import annotations

from typing import Any

import msgspec

from keptn_doctor.probes.kube_objects import Condition, KubeStruct, LabelSelector, Object


class ServicePort(KubeStruct, frozen=True):
    name: str | None = None
    port: int | None = None
    target_port: int | str | None = None
    node_port: int | None = None


class ServiceSpec(KubeStruct, frozen=True):
    type: str | None = None
    cluster_ip: str | None = msgspec.field(name="clusterIP", default=None)
    external_ips: list[str] | None = msgspec.field(name="externalIPs", default=None)
    load_balancer_source_ranges: list[str] | None = None
    load_balancer_class: str | None = None
    external_traffic_policy: str | None = None
    ports: list[ServicePort] | None = None
    selector: dict[str, str | None] | None = None


class LoadBalancerAddress(KubeStruct, frozen=True):
    ip: str | None = None
    hostname: str | None = None


class LoadBalancerStatus(KubeStruct, frozen=True):
    ingress: list[LoadBalancerAddress] | None = None


class LoadBalanced(KubeStruct, frozen=True):
    """The status of a Service and of an Ingress."""

    load_balancer: LoadBalancerStatus | None = None

    @property
    def addresses(self) -> list[LoadBalancerAddress]:
        return (self.load_balancer and self.load_balancer.ingress) or []


class Service(Object, frozen=True):
    spec: ServiceSpec | None = None
    status: LoadBalanced | None = None


class EndpointAddress(KubeStruct, frozen=True):
    ip: str | None = None
    node_name: str | None = None


class EndpointSubset(KubeStruct, frozen=True):
    addresses: list[EndpointAddress] | None = None
    not_ready_addresses: list[EndpointAddress] | None = None


class Endpoints(Object, frozen=True):
    subsets: list[EndpointSubset] | None = None


# --- routes ---------------------------------------------------------------------------------------


class BackendPort(KubeStruct, frozen=True):
    number: int | None = None
    name: str | None = None


class BackendService(KubeStruct, frozen=True):
    name: str | None = None
    port: BackendPort | None = None


class IngressBackend(KubeStruct, frozen=True):
    """``service`` is networking.k8s.io/v1, the other two are v1beta1."""

    service: BackendService | None = None
    service_name: str | None = None
    service_port: int | str | None = None

    @property
    def target(self) -> tuple[str, str]:
        """Name and port, "" for what is not said."""
        if self.service is not None:
            port = self.service.port or BackendPort()
            return self.service.name or "", str(port.number or port.name or "")
        return self.service_name or "", str(self.service_port or "")


class IngressPath(KubeStruct, frozen=True):
    path: str | None = None
    backend: IngressBackend | None = None


class IngressHttp(KubeStruct, frozen=True):
    paths: list[IngressPath] | None = None


class IngressRule(KubeStruct, frozen=True):
    host: str | None = None
    http: IngressHttp | None = None


class IngressTls(KubeStruct, frozen=True):
    hosts: list[str] | None = None
    secret_name: str | None = None


class IngressSpec(KubeStruct, frozen=True):
    ingress_class_name: str | None = None
    rules: list[IngressRule] | None = None
    tls: list[IngressTls] | None = None
    default_backend: IngressBackend | None = None
    backend: IngressBackend | None = None  # v1beta1's name of the default


class Ingress(Object, frozen=True):
    spec: IngressSpec | None = None
    status: LoadBalanced | None = None


class RouteTarget(KubeStruct, frozen=True):
    kind: str | None = None
    name: str | None = None


class RoutePort(KubeStruct, frozen=True):
    target_port: int | str | None = None


class RouteTls(KubeStruct, frozen=True):
    termination: str | None = None
    insecure_edge_termination_policy: str | None = None


class RouteSpec(KubeStruct, frozen=True):
    host: str | None = None
    path: str | None = None
    to: RouteTarget | None = None
    port: RoutePort | None = None
    tls: RouteTls | None = None


class RouteIngress(KubeStruct, frozen=True):
    host: str | None = None
    router_canonical_hostname: str | None = None
    conditions: list[Condition] | None = None


class RouteStatus(KubeStruct, frozen=True):
    ingress: list[RouteIngress] | None = None


class Route(Object, frozen=True):
    """An OpenShift Route."""

    spec: RouteSpec | None = None
    status: RouteStatus | None = None


class IstioDestination(KubeStruct, frozen=True):
    host: str | None = None
    port: BackendPort | None = None


class IstioRouteDestination(KubeStruct, frozen=True):
    destination: IstioDestination | None = None


class IstioHttpRoute(KubeStruct, frozen=True):
    match: list[dict[str, Any]] | None = None
    route: list[IstioRouteDestination] | None = None


class VirtualServiceSpec(KubeStruct, frozen=True):
    hosts: list[str] | None = None
    gateways: list[str] | None = None
    http: list[IstioHttpRoute] | None = None


class VirtualService(Object, frozen=True):
    spec: VirtualServiceSpec | None = None


class HttpRouteRef(KubeStruct, frozen=True):
    name: str | None = None
    namespace: str | None = None
    port: int | None = None


class HttpRouteRule(KubeStruct, frozen=True):
    matches: list[dict[str, Any]] | None = None
    backend_refs: list[HttpRouteRef] | None = None


class HttpRouteSpec(KubeStruct, frozen=True):
    hostnames: list[str] | None = None
    parent_refs: list[HttpRouteRef] | None = None
    rules: list[HttpRouteRule] | None = None


class HttpRouteParent(KubeStruct, frozen=True):
    conditions: list[Condition] | None = None


class HttpRouteStatus(KubeStruct, frozen=True):
    parents: list[HttpRouteParent] | None = None


class HttpRoute(Object, frozen=True):
    """A route of the Gateway API."""

    spec: HttpRouteSpec | None = None
    status: HttpRouteStatus | None = None


# --- policies -------------------------------------------------------------------------------------


class IpBlock(KubeStruct, frozen=True):
    cidr: str | None = None
    except_: list[str] | None = msgspec.field(name="except", default=None)


class PolicyPeer(KubeStruct, frozen=True):
    ip_block: IpBlock | None = None
    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None


class PolicyPort(KubeStruct, frozen=True):
    protocol: str | None = None
    port: int | str | None = None
    end_port: int | None = None


class EgressRule(KubeStruct, frozen=True):
    to: list[PolicyPeer] | None = None
    ports: list[PolicyPort] | None = None


class IngressPolicyRule(KubeStruct, frozen=True):
    from_: list[PolicyPeer] | None = msgspec.field(name="from", default=None)
    ports: list[PolicyPort] | None = None


class NetworkPolicySpec(KubeStruct, frozen=True):
    pod_selector: LabelSelector | None = None
    policy_types: list[str] | None = None
    egress: list[EgressRule] | None = None
    ingress: list[IngressPolicyRule] | None = None


class NetworkPolicy(Object, frozen=True):
    spec: NetworkPolicySpec | None = None


class PeerAuthenticationSpec(KubeStruct, frozen=True):
    mtls: dict[str, Any] | None = None
    selector: LabelSelector | None = None
    port_level_mtls: dict[str, Any] | None = None


class PeerAuthentication(Object, frozen=True):
    spec: PeerAuthenticationSpec | None = None


class MetalLbSpec(KubeStruct, frozen=True):
    """Of an IPAddressPool (``addresses``) or an advertisement (``ip_address_pools``)."""

    addresses: list[str] | None = None
    ip_address_pools: list[str] | None = msgspec.field(name="ipAddressPools", default=None)
    ip_address_pool_selectors: list[Any] | None = msgspec.field(
        name="ipAddressPoolSelectors", default=None
    )


class MetalLb(Object, frozen=True):
    spec: MetalLbSpec | None = None
