"""From a scenario and its planned clusters to the settings of the simulated network and Keptn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from keptn_doctor.lab import settings as sim
from keptn_doctor.lab.blueprint import Blueprint, Site
from keptn_doctor.lab.clients.containers import clients_of
from keptn_doctor.lab.levers import OperatorLevers, VantageDns
from keptn_doctor.lab.network.policies import egress_of_policies
from keptn_doctor.lab.objects.charts import chart
from keptn_doctor.lab.objects.cluster import DNS_ADDRESS
from keptn_doctor.lab.objects.control_plane import GATEWAY
from keptn_doctor.lab.objects.published import KEPTN, Exposed, Vantages, exposed
from keptn_doctor.lab.reading import ScenarioError
from keptn_doctor.lab.scenario import CONTROL_PLANE
from keptn_doctor.lab.workloads import Controllers
from keptn_doctor.model.base import Record

R = TypeVar("R", bound=Record)
_THROTTLED_EVERY = 4  # a component at its CPU limit answers three of four requests in time
_COMPONENTS: tuple[sim.Component, ...] = (
    "api-service", "shipyard-controller", "mongodb-datastore", "configuration-service",
    "resource-service", "secret-service", "statistics-service", "bridge",
)  # fmt: skip
_BROKERS = ("keptn-nats", "keptn-nats-cluster")
_BROKER_ADDRESS = "10.244.255.22"  # its Service is headless: its name leads to its pod
_OWN_SERVICES = ("approval-service", "lighthouse-service", "remediation-service")


def changed(record: R, **changes: Any) -> R:
    """A copy of a record with other values."""
    values = {field: getattr(record, field) for field in record.__struct_fields__}
    return type(record)(**{**values, **changes})


def simulation_settings(
    plan: Blueprint, controllers: dict[str, Controllers]
) -> sim.SimulationSettings:
    """Settings of everything that is not Kubernetes; ``controllers`` are by context."""
    scenario = plan.scenario
    levers = scenario.control_plane
    home = controllers[levers.context]
    vantages = _vantages(plan)
    reach = exposed(levers, home, vantages)
    listeners = (*scenario.listeners, *_component_listeners(plan, home, vantages), *reach.listeners)
    return sim.SimulationSettings(
        control_planes=(_keptn(plan, home), *_others(plan)),
        listeners=_with_hops(listeners, plan),
        fronts=(*reach.fronts, *scenario.fronts),
        planes=tuple(_networks(plan, controllers)),
        proxies=scenario.proxies,
        identity_providers=scenario.identity_providers,
        dns=_dns(plan, reach, controllers),
        clients=tuple(
            client
            for site in plan.sites
            for plane in site.planes
            for client in clients_of(plan, site, plane, controllers[site.context])
        ),
    )


def _vantages(plan: Blueprint) -> Vantages:
    operator = plan.scenario.operator
    addresses = {sim.OPERATOR: operator.nat_address, CONTROL_PLANE: "198.51.100.5"}
    addresses |= {name: plane.nat_address for name, plane in plan.planes.items()}
    return Vantages(
        addresses=addresses, inside=frozenset({CONTROL_PLANE, *plan.sites[0].planes})
    )


def _keptn(plan: Blueprint, home: Controllers) -> sim.ControlPlaneSettings:
    levers, gateway = plan.scenario.control_plane, plan.scenario.control_plane.gateway
    old = levers.token.api_service == "old"
    return sim.ControlPlaneSettings(
        name=KEPTN,
        version=plan.scenario.version,
        namespace=levers.namespace,
        token=plan.tokens.old if old else plan.tokens.current,
        prefix_path=gateway.prefix_path,
        gateway="up" if home.answering(levers.namespace, GATEWAY) else "down",
        body_limit=gateway.body_limit,
        registration_ttl_s=_seconds(levers.registration_ttl),
        event_validation=levers.event_validation,
        automatic_provisioning=levers.automatic_provisioning,
        auth_rate_per_s=gateway.auth_rate_per_s,
        auth_burst=gateway.auth_burst,
        auth_limit_enabled=gateway.auth_limit_enabled,
        auth_load=gateway.auth_load,
        backends=tuple(_backends(plan, home)),
        backend_addresses={
            str(service["metadata"]["name"]): str(service["spec"].get("clusterIP") or "")
            for service in home.inventory.of("Service", levers.namespace)
        },
        store=_store(plan, home),
        delivery=levers.delivery,
        own_services=levers.own_services,
        silent_services=tuple(
            name for name in _OWN_SERVICES if not home.answering(levers.namespace, name)
        ),
        registrations=levers.registrations,
        deleted=levers.deleted_registrations,
        edited=levers.edited_subscriptions,
        projects=levers.projects,
        events=levers.events,
        sequences=levers.sequences,
    )


def _others(plan: Blueprint) -> Iterator[sim.ControlPlaneSettings]:
    """Other Keptn installations; their tokens may be named, too."""
    for other in plan.scenario.other_control_planes:
        yield changed(other, token=plan.tokens.named(other.token)) if other.token else other


def _seconds(ttl: str) -> float | None:
    if not ttl:
        return None
    factor = {"s": 1, "m": 60, "h": 3600}.get(ttl[-1:], 0)
    if not factor or not ttl[:-1].isdigit():
        raise ScenarioError(f"registration-ttl must be like 2m or 48h, not {ttl!r}")
    return float(ttl[:-1]) * factor


def _backends(plan: Blueprint, home: Controllers) -> Iterator[sim.BackendSettings]:
    """What the levers say, then the state of the pods behind each Service."""
    levers = plan.scenario.control_plane
    said = {b.component for b in levers.backends}
    yield from levers.backends
    components = chart(plan.scenario.version).components
    known = {c.name for c in components}
    usual = {s.name for c in components for s in c.services}
    for component in _COMPONENTS:
        behind = component if component in known else _alias(component, known)
        if component in said or not behind:
            continue
        if home.inventory.get("Service", levers.namespace, component) is None:
            if component in usual:
                yield sim.BackendSettings(component=component, state="missing-service")
        elif not home.answering(levers.namespace, component):
            yield sim.BackendSettings(component=component, state="down")
        elif _throttled(plan, behind):
            yield sim.BackendSettings(component=component, state="hang", every=_THROTTLED_EVERY)


def _throttled(plan: Blueprint, workload: str) -> bool:
    levers = plan.scenario.control_plane.cluster.workloads.get(workload)
    faults = levers.containers.values() if levers is not None else ()
    return any(fault.fault == "throttled" for fault in faults)


def _alias(component: str, known: set[str]) -> str:
    """From 0.16.0 to 0.18.2 the Service configuration-service leads to resource-service's pods."""
    if component == "configuration-service" and "resource-service" in known:
        return "resource-service"
    return ""


def _store(plan: Blueprint, home: Controllers) -> sim.StoreSettings:
    levers = plan.scenario.control_plane
    store, namespace = levers.store, levers.namespace
    names = [s.name for c in chart(plan.scenario.version).components for s in c.services]
    mongo = next(n for n in names if n in {"mongodb", "keptn-mongo"})
    nats = next(n for n in names if n.startswith("keptn-nats"))
    if store.mongodb == "up" and not home.answering(namespace, mongo):
        store = changed(store, mongodb="down")
    if store.nats == "up" and not home.answering(namespace, nats):
        store = changed(store, nats="down")
    return store


def _component_listeners(
    plan: Blueprint, home: Controllers, vantages: Vantages
) -> Iterator[sim.ListenerSettings]:
    """The components' Services, for what runs in the control plane's own cluster."""
    namespace = plan.scenario.control_plane.namespace
    hops = (
        *(sim.HopSettings(vantage=v) for v in sorted(vantages.inside)),
        sim.HopSettings(behaviour="drop"),
    )
    for component in _COMPONENTS:
        service = home.inventory.get("Service", namespace, component)
        if service is None:
            continue
        for port in service["spec"].get("ports") or []:
            yield sim.ListenerSettings(
                address=str(service["spec"]["clusterIP"]), port=int(port["port"]),
                serves=f"{KEPTN}/{component}", hops=hops,
            )  # fmt: skip
    for broker in _BROKERS:
        if home.answering(namespace, broker):  # nobody speaks NATS here: to connect is enough
            meets = tuple(
                changed(hop, behaviour="close") if hop.vantage != "*" else hop for hop in hops
            )
            yield sim.ListenerSettings(address=_BROKER_ADDRESS, port=4222, serves="", hops=meets)


def _with_hops(
    listeners: tuple[sim.ListenerSettings, ...], plan: Blueprint
) -> tuple[sim.ListenerSettings, ...]:
    """Put the hops that planes and the operator ask for into the listeners they lead to."""
    wanted = [(sim.OPERATOR, hop) for hop in plan.scenario.operator.hops]
    wanted += [(name, hop) for name, plane in plan.planes.items() for hop in plane.hops]
    found = list(listeners)
    for vantage, hop in wanted:
        address, port = _destination(hop.to)
        hit = [
            i
            for i, one in enumerate(found)
            if address in {"*", one.address} and port in {0, one.port}
        ]
        settings = sim.HopSettings(
            vantage=vantage, behaviour=hop.behaviour, latency_ms=hop.latency_ms,
            after_bytes=hop.after_bytes, every=hop.every, on=hop.on,
        )  # fmt: skip
        for index in hit:
            found[index] = changed(found[index], hops=(settings, *found[index].hops))
        if not hit and address != "*" and port:
            rest = sim.HopSettings(behaviour="drop")
            found.append(
                sim.ListenerSettings(address=address, port=port, serves="", hops=(settings, rest))
            )
    return tuple(found)


def _destination(to: str) -> tuple[str, int]:
    address, _, port = to.rpartition(":") if ":" in to else (to, "", "*")
    if port != "*" and not port.isdigit():
        raise ScenarioError(f"a hop leads to 'address:port', not to {to!r}")
    return address.strip("[]") or "*", 0 if port == "*" else int(port)


def _networks(
    plan: Blueprint, controllers: dict[str, Controllers]
) -> Iterator[sim.PlaneNetworkSettings]:
    operator: OperatorLevers = plan.scenario.operator
    yield sim.PlaneNetworkSettings(
        vantage=sim.OPERATOR, nat_address=operator.nat_address, egress=operator.egress
    )
    for name, plane in plan.planes.items():
        site = plan.site_of(name)
        policies = egress_of_policies(controllers[site.context])
        yield sim.PlaneNetworkSettings(
            vantage=name, nat_address=plane.nat_address, egress=(*policies, *plane.egress)
        )


def _dns(
    plan: Blueprint, reach: Exposed, controllers: dict[str, Controllers]
) -> sim.DnsSettings:
    scenario = plan.scenario
    named = {record.name for record in scenario.dns}
    public = (*scenario.dns, *(r for r in reach.records if r.name not in named))
    views = [_view(sim.OPERATOR, scenario.operator.dns, ())]
    home = plan.sites[0]
    views.append(_view(CONTROL_PLANE, VantageDns(), _service_names(home, controllers)))
    for name, plane in plan.planes.items():
        site = plan.site_of(name)
        view = _view(name, plane.dns, _service_names(site, controllers))
        if not controllers[site.context].dns_up():
            view = changed(view, server="drop")
        views.append(view)
    return sim.DnsSettings(public=public, views=tuple(views), nip_io=scenario.nip_io)


def _view(
    vantage: str, dns: VantageDns, services: tuple[sim.DnsRecord, ...]
) -> sim.DnsViewSettings:
    return sim.DnsViewSettings(
        vantage=vantage, sees_public=dns.sees_public, records=(*dns.records, *services),
        rules=dns.rules, nameserver=dns.nameserver or DNS_ADDRESS, server=dns.server,
        search=dns.search, ndots=dns.ndots,
    )  # fmt: skip


def _service_names(site: Site, controllers: dict[str, Controllers]) -> tuple[sim.DnsRecord, ...]:
    """What cluster DNS knows: the Services of that cluster, the broker's by its pod."""
    found = []
    for service in site.inventory.of("Service"):
        meta, address = service["metadata"], str(service["spec"].get("clusterIP") or "None")
        running = controllers[site.context]
        if meta["name"] in _BROKERS and running.answering(meta["namespace"], meta["name"]):
            address = _BROKER_ADDRESS
        if address != "None":
            name = f"{meta['name']}.{meta['namespace']}.svc.cluster.local"
            found.append(sim.DnsRecord(name=name, values=(address,)))
    return tuple(found)
