"""From the control plane's objects to what answers on the network: listeners and fronts.

Reads Services, Ingresses, Routes, VirtualServices and PeerAuthentications as they are after the
scenario's changes, and the state of the gateway's pods. What no object exposes is not reachable.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from keptn_doctor.lab import settings as sim
from keptn_doctor.lab.levers import ControlPlaneLevers
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.cluster import load_balancer_of
from keptn_doctor.lab.objects.control_plane import GATEWAY
from keptn_doctor.lab.objects.exposure import TLS_SECRET
from keptn_doctor.lab.objects.inventory import Inventory
from keptn_doctor.lab.workloads import Controllers
from keptn_doctor.model.base import Record

KEPTN = "keptn"  # the control plane's name among the simulation's servers
_MIB = 2**20
_NOBODY = ("nobody.invalid",)  # a front whose default backend answers everything
_NGINX = "nginx.ingress.kubernetes.io/"


class Exposed(Record, frozen=True, kw_only=True):
    """Listeners and fronts of the control plane, and the names they are reached by."""

    listeners: tuple[sim.ListenerSettings, ...] = ()
    fronts: tuple[sim.FrontSettings, ...] = ()
    records: tuple[sim.DnsRecord, ...] = ()


class Vantages(Record, frozen=True, kw_only=True):
    """Who could call: the source address of each vantage, and who is inside the cluster."""

    addresses: dict[str, str]
    inside: frozenset[str]


def exposed(
    levers: ControlPlaneLevers, controllers: Controllers, vantages: Vantages
) -> Exposed:
    """Everything that listens because of the control plane's objects."""
    maker = _Maker(levers, controllers, vantages)
    listeners = [*maker.service_listeners(), *maker.route_listeners()]
    return Exposed(
        listeners=tuple(listeners), fronts=tuple(maker.fronts), records=tuple(maker.records())
    )


def default_endpoint(levers: ControlPlaneLevers, inventory: Inventory) -> str:
    """The endpoint that somebody who followed the documentation would have configured."""
    exposure = levers.exposure
    path = f"{levers.gateway.prefix_path.rstrip('/')}/api"
    if exposure.by == "cluster-ip":
        return f"http://{GATEWAY}.{levers.namespace}{path}"
    if exposure.by == "node-port":
        return f"http://{_node_addresses(inventory)[0]}:{exposure.node_port}{path}"
    host = exposure.load_balancer_hostname or exposure.host
    if exposure.tls is not None:
        return f"https://{host}{path}"
    port = "" if exposure.port == 80 or exposure.by != "load-balancer" else f":{exposure.port}"
    return f"http://{host}{port}{path}"


def _node_addresses(inventory: Inventory) -> list[str]:
    found: list[str] = []
    for node in inventory.of("Node"):
        rows = (node.get("status") or {}).get("addresses") or []
        for kind in ("ExternalIP", "InternalIP"):
            found += [str(r["address"]) for r in rows if r.get("type") == kind]
    return found


class _Maker:
    def __init__(
        self, levers: ControlPlaneLevers, controllers: Controllers, vantages: Vantages
    ) -> None:
        self.levers = levers
        self.controllers = controllers
        self.inventory = controllers.inventory
        self.vantages = vantages
        self.home = levers.namespace
        self.fronts: list[sim.FrontSettings] = []
        self._entry = KEPTN
        front = levers.exposure.front
        if front is not None:
            self.fronts.append(front)
            self._entry = front.name

    # Services

    def service_listeners(self) -> Iterator[sim.ListenerSettings]:
        for service in self.inventory.of("Service"):
            spec = service["spec"]
            if self._leads_to_gateway(service):
                yield from self._gateway_service(service, spec)
            elif spec.get("type") == "LoadBalancer" and self._shares_its_nodes():
                yield from self._other_load_balancer(service)

    def _shares_its_nodes(self) -> bool:
        """On k3s the controller's Service has the nodes' own ports; with an Ingress it is ours."""
        by_controller = self.levers.exposure.by == "ingress"
        return self.levers.cluster.platform in {"k3s", "k3d"} and not by_controller

    def _leads_to_gateway(self, service: Object) -> bool:
        selector = service["spec"].get("selector") or {}
        pods = self.controllers.selected(str(service["metadata"].get("namespace")), selector)
        by_name = service["metadata"].get("name") == GATEWAY
        return any(p.workload == GATEWAY and p.namespace == self.home for p in pods) or (
            by_name and service["metadata"].get("namespace") == self.home
        )

    def _gateway_service(self, service: Object, spec: Object) -> Iterator[sim.ListenerSettings]:
        up = bool(self.controllers.ready_pods(self.home, spec.get("selector") or {}))
        ports = [int(p["port"]) for p in spec.get("ports") or []]
        kind = spec.get("type", "ClusterIP")
        for port in ports:
            hops = tuple(
                sim.HopSettings(vantage=v, behaviour="open" if up else "refuse")
                for v in sorted(self.vantages.inside)
            )
            yield sim.ListenerSettings(
                address=str(spec.get("clusterIP")), port=port, serves=KEPTN,
                hops=(*hops, sim.HopSettings(behaviour="drop")),
            )  # fmt: skip
        if kind == "LoadBalancer":
            yield from self._load_balancer(service, ports, up=up)
        if kind in {"LoadBalancer", "NodePort"}:
            for entry in spec.get("ports") or []:
                node_port = int(entry.get("nodePort") or 0)
                if node_port:
                    yield from self._node_port(node_port, up=up)

    def _node_port(self, port: int, *, up: bool) -> Iterator[sim.ListenerSettings]:
        """On every node; where a node has an external address, only that is routed outside."""
        for node in self.inventory.of("Node"):
            rows = (node.get("status") or {}).get("addresses") or []
            external = [str(r["address"]) for r in rows if r.get("type") == "ExternalIP"]
            internal = [str(r["address"]) for r in rows if r.get("type") == "InternalIP"]
            for address in external:
                yield self._listener(address, port, up=up)
            for address in internal:
                yield self._listener(address, port, up=up, routed=not external)

    def _load_balancer(
        self, service: Object, ports: list[int], *, up: bool
    ) -> Iterator[sim.ListenerSettings]:
        rows = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        exposure = self.levers.exposure
        ranges = service["spec"].get("loadBalancerSourceRanges") or []
        for row in rows:
            address = str(row.get("ip") or exposure.address)
            for port in ports:
                plain = exposure.plain == "open" and port != 443
                if exposure.tls is None or plain:
                    yield self._listener(address, port, up=up, ranges=ranges)
            if exposure.tls is not None:
                yield self._listener(address, 443, up=up, ranges=ranges, tls=self._tls())

    def _other_load_balancer(self, service: Object) -> Iterator[sim.ListenerSettings]:
        name = f"default-backend-{service['metadata']['name']}"
        rows = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        if rows:
            front = sim.FrontSettings(name=name, product="traefik", to="", hosts=_NOBODY)
            self.fronts.append(front)
        for row in rows:
            for port in service["spec"].get("ports") or []:
                yield sim.ListenerSettings(
                    address=str(row.get("ip")), port=int(port["port"]), serves=name
                )

    def _tls(self) -> sim.TlsSettings:
        """The exposure's certificate, for the host when it names nothing itself."""
        tls = self.levers.exposure.tls or sim.TlsSettings()
        return self._named(tls)

    def _named(self, tls: sim.TlsSettings, kind: str = "") -> sim.TlsSettings:
        given = tls.certificate
        exposure = self.levers.exposure
        names = given.names or (exposure.load_balancer_hostname or exposure.host, exposure.address)
        values = {f: getattr(given, f) for f in given.__struct_fields__}
        values |= {"names": names} | ({"kind": kind} if kind else {})
        certificate = sim.CertificateSettings(**values)
        rest = {f: getattr(tls, f) for f in tls.__struct_fields__}
        return sim.TlsSettings(**{**rest, "certificate": certificate})

    def _listener(
        self,
        address: str,
        port: int,
        *,
        up: bool,
        ranges: list[str] | tuple[str, ...] = (),
        tls: sim.TlsSettings | None = None,
        routed: bool = True,
    ) -> sim.ListenerSettings:
        hops = []
        announced = self._announced()
        for vantage, source in self.vantages.addresses.items():
            inside = vantage in self.vantages.inside
            behaviour: sim.TcpBehaviour = "open"
            if not inside and not routed:
                behaviour = "drop"
            elif not inside and not announced:
                behaviour = "no-route"
            elif ranges and not inside and not _within(source, ranges):
                behaviour = "drop"
            elif not up:
                behaviour = "refuse"
            elif self._strict_mtls():
                behaviour = "reset"
            if behaviour != "open":
                hops.append(sim.HopSettings(vantage=vantage, behaviour=behaviour))
        return sim.ListenerSettings(
            address=address, port=port, serves=self._entry, tls=tls, hops=tuple(hops)
        )

    def _announced(self) -> bool:
        """MetalLB tells nobody of an address without an advertisement."""
        if not self.levers.exposure.announced:
            return False
        metallb = load_balancer_of(self.levers.cluster) == "metallb"
        kinds = ("L2Advertisement", "BGPAdvertisement")
        return not metallb or any(self.inventory.of(kind) for kind in kinds)

    def _strict_mtls(self) -> bool:
        """Istio refuses plain text at the gateway's pod, which only meshed callers do not send."""
        workload = self.inventory.get("Deployment", self.home, GATEWAY) or {}
        spec = (((workload.get("spec") or {}).get("template") or {}).get("spec")) or {}
        home = self.inventory.get("Namespace", "", self.home) or {}
        injected = ((home.get("metadata") or {}).get("labels") or {}).get("istio-injection")
        meshed = injected == "enabled" or any(
            c.get("name") == "istio-proxy" for c in spec.get("containers") or []
        )
        return meshed and any(
            ((p.get("spec") or {}).get("mtls") or {}).get("mode") == "STRICT"
            for p in self.inventory.of("PeerAuthentication")
            if p["metadata"].get("namespace") in {self.home, "istio-system"}
        )

    # Ingress, Route, VirtualService

    def route_listeners(self) -> Iterator[sim.ListenerSettings]:
        by = self.levers.exposure.by
        if by == "ingress":
            front, tls, plain = self._ingress_front()
        elif by == "route":
            front, tls, plain = self._route_front()
        elif by == "virtual-service":
            front, tls, plain = self._virtual_service_front()
        else:
            return
        self.fronts.append(front)
        entry = self._entry
        if entry != KEPTN:
            first = self.fronts[0]
            values = {f: getattr(first, f) for f in first.__struct_fields__}
            self.fronts[0] = sim.FrontSettings(**{**values, "to": front.name})
        else:
            entry = front.name
        self._entry = entry
        if plain:
            yield self._listener(self.levers.exposure.address, 80, up=True)
        if tls is not None:
            yield self._listener(self.levers.exposure.address, 443, up=True, tls=tls)

    def _backend_ready(self, service: str, port: object) -> bool:
        found = self.inventory.get("Service", self.home, service)
        if found is None:
            return False
        ports = found["spec"].get("ports") or []
        known = {p.get("name") for p in ports} | {p.get("port") for p in ports}
        known |= {p.get("targetPort") for p in ports}
        return port in known and self.controllers.answering(self.home, service)

    def _ingress_front(self) -> tuple[sim.FrontSettings, sim.TlsSettings | None, bool]:
        exposure = self.levers.exposure
        product = exposure.controller
        name = f"ingress-{product}"
        plain = exposure.plain == "open"
        found = self._gateway_ingress()
        fake = self._named(exposure.tls or sim.TlsSettings(), "ingress-fake")
        if found is None:
            front = sim.FrontSettings(name=name, product=product, to="", hosts=_NOBODY)
            return front, fake, plain
        ingress, hosts, service, port = found
        notes = ingress["metadata"].get("annotations") or {}
        ready = self._backend_ready(service, port)
        tls_rows = (ingress.get("spec") or {}).get("tls") or []
        tls: sim.TlsSettings | None = fake
        if tls_rows:
            secret = str(tls_rows[0].get("secretName") or TLS_SECRET)
            if self.inventory.get("Secret", self.home, secret) is not None:
                tls = self._tls()
        redirects = bool(tls_rows) and notes.get(f"{_NGINX}ssl-redirect") != "false"
        front = sim.FrontSettings(
            name=name, product=product, to=KEPTN, hosts=hosts, no_backend=not ready,
            redirect_status=308 if redirects and product == "ingress-nginx" else 0,
            body_limit=_size(notes.get(f"{_NGINX}proxy-body-size")) if product == "ingress-nginx"
            else 0,
            sso="redirect" if notes.get(f"{_NGINX}auth-signin") or notes.get(f"{_NGINX}auth-url")
            else "",
            needs_client_certificate=notes.get(f"{_NGINX}auth-tls-verify-client") == "on",
            source_ranges=tuple(
                r for r in str(notes.get(f"{_NGINX}whitelist-source-range") or "").split(",") if r
            ),
        )  # fmt: skip
        return front, tls, plain

    def _gateway_ingress(self) -> tuple[Object, tuple[str, ...], str, object] | None:
        for ingress in self.inventory.of("Ingress", self.home):
            hosts, target = [], None
            for rule in (ingress.get("spec") or {}).get("rules") or []:
                for path in (rule.get("http") or {}).get("paths") or []:
                    backend = path.get("backend") or {}
                    service = backend.get("service") or {}
                    port = service.get("port") or {}
                    target = (
                        str(service.get("name") or backend.get("serviceName")),
                        port.get("number") or port.get("name") or backend.get("servicePort"),
                    )
                if rule.get("host"):
                    hosts.append(str(rule["host"]))
            if target is not None:
                return ingress, tuple(hosts), target[0], target[1]
        return None

    def _route_front(self) -> tuple[sim.FrontSettings, sim.TlsSettings | None, bool]:
        exposure = self.levers.exposure
        name = "openshift-router"
        fake = self._named(exposure.tls or sim.TlsSettings(), "wrong-name")
        routes = self.inventory.of("Route", self.home)
        if not routes:
            front = sim.FrontSettings(name=name, product="openshift-router", to="", no_backend=True)
            return front, fake, True
        spec = routes[0].get("spec") or {}
        ready = self._backend_ready(
            str((spec.get("to") or {}).get("name")), (spec.get("port") or {}).get("targetPort")
        )
        tls = spec.get("tls") or {}
        policy = tls.get("insecureEdgeTerminationPolicy") or "None"
        front = sim.FrontSettings(
            name=name, product="openshift-router", to=KEPTN, hosts=(str(spec.get("host")),),
            no_backend=not ready, redirect_status=302 if tls and policy == "Redirect" else 0,
        )  # fmt: skip
        return front, self._tls() if tls else fake, not tls or policy != "None"

    def _virtual_service_front(self) -> tuple[sim.FrontSettings, sim.TlsSettings | None, bool]:
        name = "istio-ingressgateway"
        plain = self.levers.exposure.plain == "open"
        tls = self._tls() if self.levers.exposure.tls is not None else None
        for found in self.inventory.of("VirtualService", self.home):
            spec = found.get("spec") or {}
            hosts = tuple(str(h) for h in spec.get("hosts") or [])
            http = (spec.get("http") or [{}])[0]
            destination = ((http.get("route") or [{}])[0].get("destination")) or {}
            service = str(destination.get("host") or "").partition(".")[0]
            port = (destination.get("port") or {}).get("number", 80)
            front = sim.FrontSettings(
                name=name, product="envoy", to=KEPTN, hosts=hosts,
                no_backend=not self._backend_ready(service, port),
            )  # fmt: skip
            return front, tls, plain
        return sim.FrontSettings(name=name, product="envoy", to="", hosts=_NOBODY), tls, plain

    # Names

    def records(self) -> Iterator[sim.DnsRecord]:
        exposure = self.levers.exposure
        if exposure.by in {"cluster-ip", "node-port"}:
            return
        if exposure.load_balancer_hostname:
            yield sim.DnsRecord(name=exposure.load_balancer_hostname, values=(exposure.address,))
        elif exposure.pending:
            return
        yield sim.DnsRecord(name=exposure.host, values=(exposure.address,))


def _within(address: str, ranges: list[str] | tuple[str, ...]) -> bool:
    return any(ip_address(address) in ip_network(r, strict=False) for r in ranges)


def _size(text: object) -> int:
    """``proxy-body-size`` in bytes; ingress-nginx takes 1 MiB when nothing is said."""
    raw = str(text or "1m").lower()
    factor = {"k": 2**10, "m": _MIB, "g": 2**30}.get(raw[-1:], 1)
    digits = raw.rstrip("kmg")
    return int(digits) * factor if digits.isdigit() else _MIB
