"""Finds the control plane in its cluster and records all that the cluster tells of it.

The namespace is what the rest hangs on. Everything that can be read becomes a fact, everything
refused a failure of that fact.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from keptn_doctor.discover.cluster import (
    ListedNodes,
    WholeCluster,
    beside_the_knock,
    list_nodes,
    record_whole_cluster,
)
from keptn_doctor.discover.planes import USUAL_NAMESPACES, Workloads
from keptn_doctor.discover.reading import (
    LOOK_S,
    NamespaceObjects,
    attempt,
    fetch_references,
    read_namespace,
    record_failure,
    skip,
)
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import KeptnVersion, ReferenceToken
from keptn_doctor.model.kube_facts import (
    Claims,
    ClusterFacts,
    Components,
    ComponentServices,
    ExposureRoutes,
    GatewayService,
    LoadBalancerProvider,
    NetworkPolicies,
)
from keptn_doctor.model.topology import ControlPlane
from keptn_doctor.probes import kube_network_objects as net
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.cluster_facts import nodes_fact, read_cluster
from keptn_doctor.probes.exposure import (
    GATEWAY,
    derived_endpoints,
    find_gateways,
    gateway_fact,
    read_endpoints,
    services_fact,
)
from keptn_doctor.probes.exposure_routes import RouteTarget, read_routes
from keptn_doctor.probes.failures import WorldFault, fault
from keptn_doctor.probes.keptn_components import (
    API_SERVICE,
    components_fact,
    reference_token,
    token_reference,
    version_fact,
)
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.load_balancers import read_providers
from keptn_doctor.probes.networkpolicies import (
    mutual_tls,
    policies_on,
    read_policies,
    sidecars,
)
from keptn_doctor.probes.storage import read_claims
from keptn_doctor.probes.workloads import list_workloads, scoped
from keptn_doctor.secret import Secret
from keptn_doctor.session import Session
from keptn_doctor.targets import ClusterTarget

F = TypeVar("F")
_MOST_NAMESPACES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundControlPlane:
    """The control plane as its cluster shows it; empty parts where there is no such cluster."""

    control_plane: ControlPlane
    cluster: ClusterFacts | Failure | None = None
    objects: NamespaceObjects | None = None
    workloads: Workloads | None = None  # of its namespace, Keptn services among them
    endpoints: tuple[str, ...] = ()  # derived from the exposure, the likeliest first
    rest: Callable[[], Awaitable[None]] | None = None  # reads what no look hangs on


async def find_control_plane(session: Session, target: ClusterTarget) -> FoundControlPlane:
    """Look for the control plane in one cluster; never raises for the world's faults."""
    plane = ControlPlane(name=target.name, context=target.context)
    kube = await session.kube(target.name)
    if isinstance(kube, Failure):
        await record_failure(session, "cluster", plane.subject, kube)
        return FoundControlPlane(control_plane=plane)
    reading = _find(session, kube, target, plane)
    told = await beside_the_knock(session, kube, reading, subject=plane.subject)
    if isinstance(told, Failure):
        return FoundControlPlane(control_plane=plane, cluster=told)
    return told


async def _find(
    session: Session, kube: KubeClient, target: ClusterTarget, plane: ControlPlane
) -> FoundControlPlane:
    """The control plane of a cluster that answers."""
    basics = asyncio.ensure_future(read_cluster(kube))
    reading, cluster, nodes = await asyncio.gather(
        _read_namespace(session, kube, target, plane, basics), basics, list_nodes(kube)
    )
    if isinstance(reading, _Reading):
        return reading.found(cluster, nodes)

    async def rest() -> None:
        await record_whole_cluster(
            session, kube, cluster, subject=plane.subject, pods_in_full=False, nodes=nodes
        )

    return FoundControlPlane(
        control_plane=_identified(reading, cluster), cluster=cluster, rest=rest
    )


async def _read_namespace(
    session: Session,
    kube: KubeClient,
    target: ClusterTarget,
    plane: ControlPlane,
    basics: asyncio.Future[ClusterFacts | Failure],
) -> _Reading | ControlPlane:
    """All reads of the control plane's namespace; without one, what the search told."""
    namespace, elsewhere = await _locate(session, kube, target, subject=plane.subject)
    plane = msgspec.structs.replace(plane, namespace=namespace, elsewhere=elsewhere)
    if not namespace:
        return plane
    reading = _Reading(session, kube, plane, basics)
    await reading.read()
    return reading


def _identified(plane: ControlPlane, cluster: ClusterFacts | Failure) -> ControlPlane:
    uid = "" if isinstance(cluster, Failure) else cluster.uid
    return msgspec.structs.replace(plane, cluster_uid=uid)


async def _locate(
    session: Session, kube: KubeClient, target: ClusterTarget, *, subject: str
) -> tuple[str, tuple[str, ...]]:
    """The control plane's namespace, "" when there is none, and others that hold a gateway."""
    everywhere = await attempt(find_gateways(kube))
    found, complete = ((), False) if isinstance(everywhere, Failure) else (everywhere, True)
    if isinstance(everywhere, Failure) and everywhere.code == "forbidden":
        found, complete = await _one_by_one(session, kube, target, subject=subject)
    wanted = [name for name in found if not target.namespaces or name in target.namespaces]
    if not wanted:
        where = ", ".join(target.namespaces) or "any namespace that could be searched"
        seen = f"; there is one in {', '.join(found)}" if found else ""
        told = fault("kube", "not-found", f"no Keptn gateway in {where}{seen}").failure
        if isinstance(everywhere, Failure) and not (complete or found):
            told = everywhere  # what could not be looked at may hold one
        await record_failure(session, "gateway-service", subject, told)
        return "", found
    chosen = "keptn" if "keptn" in wanted else wanted[0]
    return chosen, tuple(name for name in found if name != chosen)


async def _one_by_one(
    session: Session,
    kube: KubeClient,
    target: ClusterTarget,
    *,
    subject: str,
) -> tuple[tuple[str, ...], bool]:
    """Search the namespaces one by one, when the cluster as a whole may not be read.

    The second part says whether every namespace that was thought of could be searched.
    """
    names = target.namespaces
    if not names:
        listed = await attempt(kube.list("/api/v1/namespaces", k8s.Namespace))
        own = (kube.access.namespace,) if kube.access.namespace else ()
        usual = (*reversed(USUAL_NAMESPACES), *own)
        seen = () if isinstance(listed, Failure) else tuple(item.name for item in listed)
        names = tuple(dict.fromkeys((*usual, *seen)))[:_MOST_NAMESPACES]
    answers = await asyncio.gather(*(attempt(find_gateways(kube, name)) for name in names))
    found = [name for here in answers if not isinstance(here, Failure) for name in here]
    if not found:
        for name, here in zip(names, answers, strict=True):
            if isinstance(here, Failure):
                skip(session, "gateway-service", subject, here, what=f"{name} was not searched")
    complete = not any(isinstance(here, Failure) for here in answers)
    return tuple(dict.fromkeys(found)), complete


class _Reading:
    """The reads of one control plane's namespace and the facts that come of them.

    What several looks wait for is shielded: one that runs out of time must not end it for all.
    """

    def __init__(
        self,
        session: Session,
        kube: KubeClient,
        plane: ControlPlane,
        basics: asyncio.Future[ClusterFacts | Failure],
    ) -> None:
        self.session, self.kube, self.plane, self.basics = session, kube, plane, basics
        self.namespace = plane.namespace

    async def look(self, probe: str, looking: Coroutine[Any, Any, F | Failure]) -> F | Failure:
        return await self.session.recorder.look(
            probe, self.plane.subject, looking, deadline_s=LOOK_S
        )

    async def read(self) -> None:
        """Everything that looks hang on; the workloads first, since they name the Secret."""
        async with asyncio.TaskGroup() as group:
            begin = group.create_task
            workloads = begin(list_workloads(self.kube, self.namespace))
            services = begin(self._list_services())
            target = begin(self._target(services))
            routes = begin(self.look("exposure-routes", self._routes(target)))
            self.reading = begin(read_namespace(self.session, self.kube, self.namespace))
            version = begin(self._version(workloads))
            components = begin(self.look("components", self._components(workloads, version)))
            begin(self.look("reference-token", self._token(workloads)))
        self.workloads, self.version = workloads.result(), version.result()
        self.objects, self.services = self.reading.result(), services.result()
        self.components, self.routes = components.result(), routes.result()
        self.gateway = target.result().gateway

    async def _list_services(self) -> tuple[net.Service, ...] | Failure:
        path = scoped("/api/v1", "services", self.namespace)
        return await attempt(self.kube.list(path, net.Service))

    async def _target(
        self, services: asyncio.Task[tuple[net.Service, ...] | Failure]
    ) -> RouteTarget:
        listed, objects = await services, await self.reading
        found = () if isinstance(listed, Failure) else listed
        gateways = [s for s in found if s.name == GATEWAY]
        events = objects.around.events
        return RouteTarget(
            namespace=self.namespace,
            gateway=gateway_fact(gateways[0], None, events=events) if gateways else None,
            services=frozenset(service.name for service in found),
            events=events,
        )

    def found(self, cluster: ClusterFacts | Failure, nodes: ListedNodes) -> FoundControlPlane:
        """The control plane as its namespace and its cluster show it."""
        version = self.version.version if isinstance(self.version, KeptnVersion) else ""
        plane = msgspec.structs.replace(self.plane, version=version)
        return FoundControlPlane(
            control_plane=_identified(plane, cluster),
            cluster=cluster,
            objects=self.objects,
            workloads=self.workloads,
            endpoints=self._endpoints(nodes),
            rest=lambda: self._rest(cluster, nodes),
        )

    async def _rest(self, cluster: ClusterFacts | Failure, nodes: ListedNodes) -> None:
        """What only judgements need."""
        groups = () if isinstance(cluster, Failure) else cluster.served_groups
        async with asyncio.TaskGroup() as group:
            group.create_task(self._cluster_and_providers(cluster, nodes, groups))
            group.create_task(self._gateway_and_services())
            group.create_task(self.look("claims", self._claims()))
            group.create_task(self.look("network-policies", self._policies(groups)))

    async def _version(self, listing: asyncio.Task[Workloads]) -> KeptnVersion | Failure:
        """The version that the cluster shows; the API's own word is the better fact, if it speaks.

        So only a failure is recorded here. ``observe`` records this version where the API is mute.
        """
        workloads, failures = await listing
        told: KeptnVersion | Failure
        try:
            told = failures[0] if failures and not workloads else version_fact(workloads)
        except WorldFault as unknown:
            told = unknown.failure
        if isinstance(told, Failure):
            await record_failure(
                self.session, "keptn-version", self.plane.subject, told, part="cluster"
            )
        return told

    async def _gateway_and_services(self) -> None:
        endpoints = await read_endpoints(self.kube, self.namespace)
        await self.look("gateway-service", self._gateway(endpoints))
        await self.look("component-services", self._services(endpoints))

    async def _gateway(
        self, endpoints: dict[str, net.Endpoints] | None
    ) -> GatewayService | Failure:
        if isinstance(self.services, Failure):
            return self.services
        for service in self.services:
            if service.name == GATEWAY:
                return gateway_fact(service, endpoints, events=self.objects.around.events)
        raise fault("kube", "not-found", f"Service {self.namespace}/{GATEWAY} does not exist")

    async def _components(
        self, listing: asyncio.Task[Workloads], telling: asyncio.Task[KeptnVersion | Failure]
    ) -> Components | Failure:
        path = f"{scoped('/api/v1', 'configmaps', self.namespace)}/api-nginx-config"
        config = await attempt(self.kube.get(path, k8s.ConfigMap))
        workloads, failures = await asyncio.shield(listing)
        objects, version = await asyncio.shield(self.reading), await asyncio.shield(telling)
        refused = (*failures, *filter(None, (objects.pods_failure,)))
        if refused:
            return refused[0]
        files = {} if isinstance(config, Failure) else config.data or {}
        return components_fact(
            workloads,
            objects.around,
            version=version.version if isinstance(version, KeptnVersion) else "",
            nginx_config="\n".join(str(text) for text in files.values()),
            namespace=self.namespace,
            redactor=self.session.redactor,
        )

    async def _routes(self, target: asyncio.Task[RouteTarget]) -> ExposureRoutes:
        basics = await asyncio.shield(self.basics)
        return await read_routes(
            self.kube,
            self.namespace,
            served_groups=() if isinstance(basics, Failure) else basics.served_groups,
            target=asyncio.shield(target),
        )

    async def _services(
        self, endpoints: dict[str, net.Endpoints] | None
    ) -> ComponentServices | Failure:
        if isinstance(self.services, Failure):
            return self.services
        return services_fact(self.services, endpoints, namespace=self.namespace)

    async def _cluster_and_providers(
        self, basics: ClusterFacts | Failure, nodes: ListedNodes, groups: tuple[str, ...]
    ) -> None:
        cluster = await record_whole_cluster(
            self.session, self.kube, basics, subject=self.plane.subject, pods_in_full=True,
            nodes=nodes,
        )  # fmt: skip
        await self.look("load-balancer-provider", self._providers(cluster, groups))

    async def _providers(
        self, cluster: WholeCluster, groups: tuple[str, ...]
    ) -> LoadBalancerProvider | Failure:
        if isinstance(cluster.pods, Failure):
            return cluster.pods
        return await read_providers(
            self.kube,
            cluster.pods,
            gateway=self.gateway,
            platform="" if isinstance(cluster.facts, Failure) else cluster.facts.platform,
            served_groups=groups,
            redactor=self.session.redactor,
        )

    async def _claims(self) -> Claims:
        events = self.objects.around.events
        return await read_claims(self.kube, self.namespace, events=events)

    async def _policies(self, groups: tuple[str, ...]) -> NetworkPolicies:
        policies, demands = await asyncio.gather(
            read_policies(self.kube, self.namespace),
            mutual_tls(self.kube, self.namespace, served_groups=groups),
        )
        gateways = [
            pod
            for pod in self.objects.around.pods
            if pod.labels.get("app.kubernetes.io/name") == GATEWAY
        ]
        labels = gateways[0].labels if gateways else {"app.kubernetes.io/name": GATEWAY}
        return NetworkPolicies(
            policies=policies_on(policies, {self.plane.subject: (self.namespace, labels)}),
            mesh=(*sidecars(gateways), *demands),
        )

    async def _token(self, listing: asyncio.Task[Workloads]) -> ReferenceToken:
        workloads, _ = await asyncio.shield(listing)
        api = next((w for w in workloads if w.object.name == API_SERVICE), None)
        reference, key = token_reference(api, self.namespace)
        lookup = await fetch_references(self.kube, (reference,))
        objects = await asyncio.shield(self.reading)
        found, token = reference_token(
            reference,
            key,
            lookup,
            api_service=api,
            around=objects.around,
            salt=self.session.salt,
        )
        self.session.redactor.learn(token)
        text = token.decode(errors="replace").strip()
        self.session.reference_token = Secret(text) if text else None
        return found

    def _endpoints(self, nodes: ListedNodes) -> tuple[str, ...]:
        listed = () if isinstance(nodes, Failure) else nodes
        states = nodes_fact(listed, None, redactor=self.session.redactor).nodes
        routes = () if isinstance(self.routes, Failure) else self.routes.routes
        settings = {} if isinstance(self.components, Failure) else self.components.settings
        prefix = settings.get(f"{GATEWAY}/prefix") or settings.get(f"{API_SERVICE}/PREFIX_PATH", "")
        return derived_endpoints(self.gateway, routes, states, prefix=prefix)
