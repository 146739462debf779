"""Routes of every kind that lead, or mean to lead, to the gateway.

Only kinds that the cluster serves are asked for: Ingress (v1, v1beta1, extensions), OpenShift
Route, Istio VirtualService, HTTPRoute of the Gateway API. Each becomes one ``ExposureRoute``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import msgspec

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import ExposureRoute, ExposureRoutes, GatewayService
from keptn_doctor.probes import kube_network_objects as net
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.exposure import GATEWAY
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pods import EventIndex
from keptn_doctor.probes.workloads import scoped

T = TypeVar("T")

_INGRESS = ("networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1")
_OPENSHIFT = ("route.openshift.io/v1",)
_ISTIO = (
    "networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3",
)  # fmt: skip
_GATEWAY_API = ("gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1")
_OWN_NAMES = ("api-keptn-ingress", "keptn-ingress")  # the documentation's and the chart's
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"


class RouteTarget(Record, frozen=True, kw_only=True):
    """The gateway that a route should lead to, and what else there is in its namespace."""

    namespace: str
    gateway: GatewayService | None
    services: frozenset[str]  # names of all Services
    events: EventIndex

    def leads_here(self, name: str, port: str) -> tuple[bool, str]:
        """Whether a backend is the gateway, and if not why."""
        if name != GATEWAY:
            state = "is another Service" if name in self.services else "does not exist"
            return False, f"backend {name or '(none)'} {state}"
        if self.gateway is not None and port:
            known = {str(p.port) for p in self.gateway.ports}
            known |= {p.name for p in self.gateway.ports} | {p.target for p in self.gateway.ports}
            if port not in known:
                return False, f"Service {GATEWAY} has no port {port}"
        return True, ""

    def is_meant(self, name: str, backend: str) -> bool:
        """Whether a route is about the gateway, even if it misses it."""
        if backend == GATEWAY or name in _OWN_NAMES:
            return True
        return backend not in self.services and ("gateway" in backend or "keptn" in name)


async def read_routes(
    kube: KubeClient,
    namespace: str,
    *,
    served_groups: tuple[str, ...],
    target: asyncio.Future[RouteTarget],
) -> ExposureRoutes:
    """All routes to the gateway of a namespace; kinds that could not be read are named.

    ``target`` may still be on its way: nothing that is asked for hangs on it.
    """
    readers: tuple[tuple[str, tuple[str, ...], _Reader], ...] = (
        ("Ingress", _INGRESS, _ingresses),
        ("Route", _OPENSHIFT, _openshift_routes),
        ("VirtualService", _ISTIO, _virtual_services),
        ("HTTPRoute", _GATEWAY_API, _http_routes),
    )

    async def read(
        kind: str, versions: tuple[str, ...], reader: _Reader
    ) -> list[ExposureRoute] | Failure:
        served = [v for v in versions if v in served_groups]
        if not served_groups and kind == "Ingress":
            served = list(versions)  # what is served could not be read; an Ingress always is
        for version in served:  # 1.18 serves networking.k8s.io/v1 without Ingress in it
            try:
                return await reader(kube, version, namespace, target)
            except WorldFault as fault:
                if fault.failure.code not in {"resource-not-served", "not-found"}:
                    return fault.failure
        return []

    found = await asyncio.gather(*(read(*one) for one in readers))
    told = list(zip((kind for kind, _, _ in readers), found, strict=True))
    return ExposureRoutes(
        routes=tuple(
            route for _, routes in told if not isinstance(routes, Failure) for route in routes
        ),
        unreadable=tuple(
            f"{kind}: {failure.right or failure.code}"
            for kind, failure in told
            if isinstance(failure, Failure)
        ),
    )


_Target = asyncio.Future[RouteTarget]
_Reader = Callable[[KubeClient, str, str, _Target], Awaitable[list[ExposureRoute]]]


async def _ingresses(
    kube: KubeClient, version: str, namespace: str, about: _Target
) -> list[ExposureRoute]:
    found = await kube.list(scoped(f"/apis/{version}", "ingresses", namespace), net.Ingress)
    target, routes = await about, []
    classes = await _optional(
        kube.list(f"/apis/{version}/ingressclasses", k8s.Object)
        if found and version.startswith("networking")
        else None
    )
    for ingress in found:
        spec = ingress.spec or net.IngressSpec()
        for backend in _backends(spec):
            name, port = backend.target
            if target.is_meant(ingress.name, name):
                route = _ingress(
                    ingress,
                    backend=(name, port),
                    version=version,
                    target=target,
                    classes=classes,
                )
                known = await _secret_exists(kube, ingress.namespace, route.tls_secret)
                routes.append(msgspec.structs.replace(route, tls_secret_exists=known))
                break
    return routes


def _backends(spec: net.IngressSpec) -> list[net.IngressBackend]:
    """The backends of an Ingress, the gateway's first where it is among them."""
    listed = [
        path.backend
        for rule in spec.rules or ()
        for path in (rule.http and rule.http.paths) or ()
        if path.backend
    ]
    listed += [backend for backend in (spec.default_backend, spec.backend) if backend]
    return sorted(listed, key=lambda backend: backend.target[0] != GATEWAY)


def _ingress(
    ingress: net.Ingress,
    *,
    backend: tuple[str, str],
    version: str,
    target: RouteTarget,
    classes: tuple[k8s.Object, ...] | None,
) -> ExposureRoute:
    spec = ingress.spec or net.IngressSpec()
    annotated = ingress.annotations.get(_CLASS_ANNOTATION, "")
    name = spec.ingress_class_name or annotated
    leads, why_not = target.leads_here(*backend)
    rules = [
        rule
        for rule in spec.rules or ()
        if any(
            path.backend and path.backend.target[0] == backend[0]
            for path in (rule.http and rule.http.paths) or ()
        )
    ]
    status = ingress.status or net.LoadBalanced()
    return ExposureRoute(
        route_kind="Ingress",
        namespace=ingress.namespace,
        name=ingress.name,
        api_version=version,
        ingress_class=name,
        class_exists=_class_exists(spec.ingress_class_name or "", annotated, classes),
        hosts=tuple(rule.host for rule in rules if rule.host),
        paths=tuple(
            path.path or "/" for rule in rules for path in (rule.http and rule.http.paths) or ()
        ),
        tls_hosts=tuple(host for tls in spec.tls or () for host in tls.hosts or ()),
        tls_secret=next((tls.secret_name for tls in spec.tls or () if tls.secret_name), ""),
        backend_service=backend[0],
        backend_port=backend[1],
        targets_gateway=leads,
        reason=why_not,
        addresses=tuple(a.hostname or a.ip or "" for a in status.addresses),
        annotations=ingress.annotations,
        events=target.events.get(("Ingress", ingress.namespace, ingress.name), ()),
    )


def _class_exists(
    declared: str, annotated: str, classes: tuple[k8s.Object, ...] | None
) -> bool | None:
    """A class named by annotation needs no object, and without one a controller may still serve."""
    if classes is None:
        return None
    names = {item.name for item in classes}
    if declared:
        return declared in names
    if annotated:
        return True if annotated in names else None
    default = any(item.annotations.get(_DEFAULT_CLASS) == "true" for item in classes)
    return True if default else None


async def _openshift_routes(
    kube: KubeClient, version: str, namespace: str, about: _Target
) -> list[ExposureRoute]:
    found = await kube.list(scoped(f"/apis/{version}", "routes", namespace), net.Route)
    target, routes = await about, []
    for route in found:
        spec, status = route.spec or net.RouteSpec(), route.status or net.RouteStatus()
        name = (spec.to and spec.to.name) or ""
        if not target.is_meant(route.name, name):
            continue
        port = str((spec.port and spec.port.target_port) or "")
        leads, why_not = target.leads_here(name, port)
        tls = spec.tls or net.RouteTls()
        states = [c for entry in status.ingress or () for c in entry.conditions or ()]
        admitted, reason = _verdict(states, "Admitted")
        routes.append(
            ExposureRoute(
                route_kind="Route",
                namespace=route.namespace,
                name=route.name,
                api_version=version,
                hosts=(spec.host,) if spec.host else (),
                paths=(spec.path or "/",),
                tls_termination=tls.termination or "",
                insecure_policy=tls.insecure_edge_termination_policy or "",
                backend_service=name,
                backend_port=port,
                targets_gateway=leads,
                addresses=tuple(
                    entry.router_canonical_hostname
                    for entry in status.ingress or ()
                    if entry.router_canonical_hostname
                ),
                admitted=admitted,
                reason=why_not or reason,
                annotations=route.annotations,
                events=target.events.get(("Route", route.namespace, route.name), ()),
            )
        )
    return routes


def _verdict(states: Iterable[k8s.Condition], kind: str) -> tuple[bool | None, str]:
    for state in states:
        if state.type == kind:
            good = state.status == "True"
            return good, "" if good else (state.message or state.reason or "")
    return None, ""


async def _virtual_services(
    kube: KubeClient, version: str, namespace: str, about: _Target
) -> list[ExposureRoute]:
    found = await _everywhere(
        kube, f"/apis/{version}", "virtualservices", net.VirtualService, namespace
    )
    target, routes = await about, []
    for item in found:
        spec = item.spec or net.VirtualServiceSpec()
        for destination in _destinations(spec):
            name = _service_of(destination.host or "", item.namespace, target.namespace)
            if name != GATEWAY:
                continue
            port = str((destination.port and destination.port.number) or "")
            leads, why_not = target.leads_here(name, port)
            routes.append(
                ExposureRoute(
                    route_kind="VirtualService",
                    namespace=item.namespace,
                    name=item.name,
                    api_version=version,
                    hosts=tuple(spec.hosts or ()),
                    backend_service=name,
                    backend_port=port,
                    targets_gateway=leads,
                    reason=why_not,
                    annotations=item.annotations,
                    events=target.events.get(("VirtualService", item.namespace, item.name), ()),
                )
            )
            break
    return routes


def _destinations(spec: net.VirtualServiceSpec) -> list[net.IstioDestination]:
    return [
        entry.destination
        for http in spec.http or ()
        for entry in http.route or ()
        if entry.destination
    ]


def _service_of(host: str, own_namespace: str, wanted_namespace: str) -> str:
    """The Service that a mesh host names in the wanted namespace, "" for another namespace's."""
    name, _, rest = host.partition(".")
    namespace = rest.partition(".")[0] or own_namespace
    return name if namespace == wanted_namespace else ""


async def _http_routes(
    kube: KubeClient, version: str, namespace: str, about: _Target
) -> list[ExposureRoute]:
    found = await _everywhere(kube, f"/apis/{version}", "httproutes", net.HttpRoute, namespace)
    target, routes = await about, []
    for item in found:
        spec, status = item.spec or net.HttpRouteSpec(), item.status or net.HttpRouteStatus()
        backends = [ref for rule in spec.rules or () for ref in rule.backend_refs or ()]
        for ref in backends:
            inside = (ref.namespace or item.namespace) == target.namespace
            if not inside or ref.name != GATEWAY:
                continue
            leads, why_not = target.leads_here(ref.name, str(ref.port or ""))
            states = [c for parent in status.parents or () for c in parent.conditions or ()]
            admitted, reason = _verdict(states, "Accepted")
            routes.append(
                ExposureRoute(
                    route_kind="HTTPRoute",
                    namespace=item.namespace,
                    name=item.name,
                    api_version=version,
                    hosts=tuple(spec.hostnames or ()),
                    backend_service=ref.name,
                    backend_port=str(ref.port or ""),
                    targets_gateway=leads,
                    admitted=admitted,
                    reason=why_not or reason,
                    annotations=item.annotations,
                    events=target.events.get(("HTTPRoute", item.namespace, item.name), ()),
                )
            )
            break
    return routes


async def _everywhere(
    kube: KubeClient, group: str, resource: str, kind: type[T], namespace: str
) -> tuple[T, ...]:
    """Objects of all namespaces, or of one where that is all one may list."""
    try:
        return await kube.list(scoped(group, resource), kind)
    except WorldFault as fault:
        if fault.failure.code != "forbidden":
            raise
    return await kube.list(scoped(group, resource, namespace), kind)


async def _optional(
    listing: Awaitable[tuple[k8s.Object, ...]] | None,
) -> tuple[k8s.Object, ...] | None:
    if listing is None:
        return None
    try:
        return await listing
    except WorldFault:
        return None


async def _secret_exists(kube: KubeClient, namespace: str, name: str) -> bool | None:
    if not name:
        return None
    try:
        await kube.get(f"{scoped('/api/v1', 'secrets', namespace)}/{name}", k8s.Object)
    except WorldFault as fault:
        return False if fault.failure.code == "not-found" else None
    return True
