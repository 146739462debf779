"""The declared objects by which a gateway is exposed: Service type, Ingress, Route, VirtualService.

What answers on the network is read back from these objects in ``exposure``, after the scenario has
changed them, so an Ingress with another host or a removed Route has its effect by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from keptn_doctor.lab import objects
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.levers import ControlPlaneLevers, ExposureLevers
from keptn_doctor.lab.network.certificates import chain_pem
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.cluster import load_balancer_of
from keptn_doctor.lab.objects.control_plane import GATEWAY
from keptn_doctor.lab.objects.inventory import Inventory
from keptn_doctor.lab.settings import CertificateSettings
from keptn_doctor.lab.workloads import Controllers

INGRESS = "api-keptn-ingress"  # the name of Keptn's documentation and of ``keptn auth``
TLS_SECRET = "keptn-tls"  # noqa: S105 - the name of a Secret


def exposure_objects(
    levers: ControlPlaneLevers, born: datetime, now: datetime
) -> Iterator[Object]:
    """Objects beside the gateway's Service, by the kind of exposure."""
    exposure = levers.exposure
    if exposure.by == "ingress":
        yield from _ingress(levers, born)
        if exposure.tls is not None:
            yield _tls_secret(exposure, levers.namespace, born, now)
    elif exposure.by == "route":
        yield _route(exposure, levers.namespace, born)
    elif exposure.by == "virtual-service":
        yield from _virtual_service(exposure, levers.namespace, born)


def expose_service(inventory: Inventory, levers: ControlPlaneLevers) -> None:
    """Give the gateway's Service the type, ports and address of the exposure."""
    service = inventory.get("Service", levers.namespace, GATEWAY)
    exposure = levers.exposure
    if service is None or exposure.by not in {"load-balancer", "node-port"}:
        return
    spec: dict[str, Any] = service["spec"]
    spec["type"] = "LoadBalancer" if exposure.by == "load-balancer" else "NodePort"
    for port in spec["ports"]:
        port["port"] = exposure.port if exposure.tls is None or exposure.port != 80 else 80
        port["nodePort"] = exposure.node_port
    spec["externalTrafficPolicy"] = "Cluster"


def assign_addresses(controllers: Controllers, levers: ControlPlaneLevers) -> None:
    """What hands out addresses does so, unless it is missing, broken or told not to."""
    exposure, provider = levers.exposure, load_balancer_of(levers.cluster)
    for service in controllers.inventory.of("Service"):
        meta = service["metadata"]
        if service["spec"].get("type") != "LoadBalancer":
            continue
        status = service.setdefault("status", {"loadBalancer": {}})
        if not provider or (status.get("loadBalancer") or {}).get("ingress"):
            continue
        gateway = (meta.get("namespace"), meta["name"]) == (levers.namespace, GATEWAY)
        if gateway and (exposure.pending or levers.cluster.load_balancer_event):
            _tell_why(controllers, service, levers.cluster.load_balancer_event)
            continue
        if provider == "klipper" and not _svclb_ready(controllers, str(meta["name"])):
            continue
        given = {"ip": exposure.address}
        if gateway and exposure.load_balancer_hostname:
            given = {"hostname": exposure.load_balancer_hostname}
        status["loadBalancer"] = {"ingress": [given]}


_REASONS = {
    "AllocationFailed": ('Failed to allocate IP for "{0}": no available IPs', "metallb-controller"),
    "SyncLoadBalancerFailed": (
        "Error syncing load balancer: failed to ensure load balancer: quota exceeded",
        "service-controller",
    ),
}


def _tell_why(controllers: Controllers, service: Object, reason: str) -> None:
    """The Event of whatever failed to hand out an address."""
    if not reason:
        return
    meta = service["metadata"]
    text, source = _REASONS.get(reason, ("{0}: no address was assigned", "service-controller"))
    controllers.inventory.add(
        objects.event(
            service, reason, text.format(f"{meta['namespace']}/{meta['name']}"),
            at=controllers.now - timedelta(seconds=90), count=40, source=source,
            first=controllers.now - timedelta(hours=2),
        )
    )  # fmt: skip


def _svclb_ready(controllers: Controllers, service: str) -> bool:
    sets = [p for p in controllers.pods if p.workload.startswith(f"svclb-{service}-")]
    return any(pod.plan.ready for pod in sets)


def _controller(
    name: str, home: str, address: str, image: str, born: datetime
) -> Iterator[Object]:
    yield objects.namespace(home, born=born)
    selector = {"app.kubernetes.io/name": name}
    container: Object = {
        "name": "controller",
        "image": image,
        "resources": {"requests": {"cpu": "100m", "memory": "90Mi"}},
    }
    yield objects.deployment(
        name, home, selector=selector, labels=selector, pod_spec={"containers": [container]},
        born=born,
    )  # fmt: skip
    ports = [
        {"name": "http", "port": 80, "targetPort": 80},
        {"name": "https", "port": 443, "targetPort": 443},
    ]
    service = objects.service(
        name, home, selector=selector, ports=ports, born=born, kind="LoadBalancer"
    )
    service["status"] = {"loadBalancer": {"ingress": [{"ip": address}]}}
    yield service


def _ingress(levers: ControlPlaneLevers, born: datetime) -> Iterator[Object]:
    exposure, home = levers.exposure, levers.namespace
    modern = Generation.parse(levers.cluster.kubernetes).minor >= 19
    api = "networking.k8s.io/v1" if modern else "networking.k8s.io/v1beta1"
    traefik = exposure.controller == "traefik"
    name, cls = ("traefik", "traefik") if traefik else ("ingress-nginx-controller", "nginx")
    namespace = "kube-system" if traefik else "ingress-nginx"
    image = "rancher/mirrored-library-traefik:2.9.4" if traefik else (
        "registry.k8s.io/ingress-nginx/controller:v1.5.1"
    )
    yield from _controller(name, namespace, exposure.address, image, born)
    if Generation.parse(levers.cluster.kubernetes).minor >= 18:
        owner = "traefik.io/ingress-controller" if traefik else "k8s.io/ingress-nginx"
        yield objects.obj("IngressClass", cls, api=api, born=born, spec={"controller": owner})
    backend: Object = {"serviceName": GATEWAY, "servicePort": 80}
    path: Object = {"path": "/", "backend": backend}
    if modern:
        path = {
            "path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": GATEWAY, "port": {"number": 80}}},
        }  # fmt: skip
    made = objects.obj("Ingress", INGRESS, home, api=api, born=born)
    spec: Object = {"rules": [{"host": exposure.host, "http": {"paths": [path]}}]}
    if modern:
        spec["ingressClassName"] = cls
    else:
        made["metadata"]["annotations"] = {"kubernetes.io/ingress.class": cls}
    if exposure.tls is not None:
        spec["tls"] = [{"hosts": [exposure.host], "secretName": TLS_SECRET}]
    made["spec"] = spec
    made["status"] = {"loadBalancer": {"ingress": [{"ip": exposure.address}]}}
    yield made


def _tls_secret(exposure: ExposureLevers, home: str, born: datetime, now: datetime) -> Object:
    """The Secret with the certificate that the listener shows, and no key worth stealing."""
    given = exposure.tls.certificate if exposure.tls is not None else CertificateSettings()
    values = {f: getattr(given, f) for f in given.__struct_fields__}
    names = given.names or (exposure.host, exposure.address)
    chain = chain_pem(CertificateSettings(**{**values, "names": names}), now=now).decode()
    parts = {"tls.crt": chain, "tls.key": "the lab keeps its keys to itself"}
    return objects.secret(TLS_SECRET, home, parts, born=born, kind="kubernetes.io/tls")


def _route(exposure: ExposureLevers, home: str, born: datetime) -> Object:
    made = objects.obj("Route", GATEWAY, home, api="route.openshift.io/v1", born=born)
    spec: Object = {
        "host": exposure.host,
        "to": {"kind": "Service", "name": GATEWAY, "weight": 100},
        "port": {"targetPort": "http"},
        "wildcardPolicy": "None",
    }
    if exposure.tls is not None:
        policy = "Allow" if exposure.plain == "open" else "None"
        spec["tls"] = {"termination": "edge", "insecureEdgeTerminationPolicy": policy}
    made["spec"] = spec
    admitted = {"type": "Admitted", "status": "True", "lastTransitionTime": objects.stamp(born)}
    made["status"] = {
        "ingress": [
            {
                "host": exposure.host, "routerName": "default",
                "routerCanonicalHostname": "router-default.apps.example.com",
                "conditions": [admitted], "wildcardPolicy": "None",
            }
        ]
    }  # fmt: skip
    return made


def _virtual_service(exposure: ExposureLevers, home: str, born: datetime) -> Iterator[Object]:
    image = "docker.io/istio/proxyv2:1.16.1"
    gateway = "istio-ingressgateway"
    yield from _controller(gateway, "istio-system", exposure.address, image, born)
    server: Object = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}}
    servers = [{**server, "hosts": [exposure.host]}]
    if exposure.tls is not None:
        servers.append(
            {
                "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
                "hosts": [exposure.host],
                "tls": {"mode": "SIMPLE", "credentialName": TLS_SECRET},
            }
        )
    yield objects.obj(
        "Gateway", "keptn-gateway", home, api="networking.istio.io/v1beta1", born=born,
        spec={"selector": {"istio": "ingressgateway"}, "servers": servers},
    )  # fmt: skip
    destination = {"host": f"{GATEWAY}.{home}.svc.cluster.local", "port": {"number": 80}}
    yield objects.obj(
        "VirtualService", "keptn", home, api="networking.istio.io/v1beta1", born=born,
        spec={
            "hosts": [exposure.host], "gateways": ["keptn-gateway"],
            "http": [{"route": [{"destination": destination}]}],
        },
    )  # fmt: skip
