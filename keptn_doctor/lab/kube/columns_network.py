"""The tables of Services, Endpoints, EndpointSlices, Ingresses and NetworkPolicies."""

from __future__ import annotations

from typing import Any

from keptn_doctor.lab.kube.columns import AGE, NAME, column, joined, labels_text, text
from keptn_doctor.lab.kube.objects import Object, dicts, dig


def _balancers(obj: Object) -> str:
    found = dicts(dig(obj, "status", "loadBalancer", "ingress"))
    return ",".join(str(one.get("ip") or one.get("hostname") or "") for one in found)


def _external(service: Object) -> str:
    spec: dict[str, Any] = service["spec"] if isinstance(service.get("spec"), dict) else {}
    listed = spec.get("externalIPs")
    fixed = ",".join(map(str, listed)) if isinstance(listed, list) else ""
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName"))
    if spec.get("type") == "LoadBalancer":
        both = ",".join(filter(None, (_balancers(service), fixed)))
        return both or "<pending>"
    return fixed or "<none>"


def _service_ports(service: Object) -> str:
    shown = []
    for port in dicts(dig(service, "spec", "ports")):
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port.get('port')}{node}/{port.get('protocol', 'TCP')}")
    return joined(shown)


SERVICE = (
    NAME,
    text("Type", "spec", "type"),
    text("Cluster-IP", "spec", "clusterIP", missing="<none>"),
    column("External-IP", _external),
    column("Port(s)", _service_ports),
    AGE,
    column("Selector", lambda obj: labels_text(dig(obj, "spec", "selector")), wide=True),
)


def _endpoints(endpoints: Object) -> str:
    shown = []
    for subset in dicts(endpoints.get("subsets")):
        ports = dicts(subset.get("ports")) or [{}]
        for port in ports:
            end = f":{port['port']}" if "port" in port else ""
            shown += [f"{a.get('ip')}{end}" for a in dicts(subset.get("addresses"))]
    return joined(shown, 3)


ENDPOINTS = (NAME, column("Endpoints", _endpoints), AGE)


def _slice_addresses(one: Object) -> str:
    found = []
    for endpoint in dicts(one.get("endpoints")):
        addresses = endpoint.get("addresses")
        found += addresses if isinstance(addresses, list) else []
    return joined(found, 3).replace("<none>", "<unset>")


ENDPOINT_SLICE = (
    NAME,
    text("AddressType", "addressType"),
    column(
        "Ports",
        lambda obj: joined([p.get("port", "*") for p in dicts(obj.get("ports"))], 3).replace(
            "<none>", "<unset>"
        ),
    ),
    column("Endpoints", _slice_addresses),
    AGE,
)


def _hosts(ingress: Object) -> str:
    hosts = [r["host"] for r in dicts(dig(ingress, "spec", "rules")) if r.get("host")]
    return joined(hosts, 3).replace("<none>", "*")


def _class(ingress: Object) -> str:
    old = dig(ingress, "metadata", "annotations", "kubernetes.io/ingress.class")
    return str(dig(ingress, "spec", "ingressClassName") or old or "<none>")


INGRESS = (
    NAME,
    column("Class", _class),
    column("Hosts", _hosts),
    column("Address", _balancers),
    column("Ports", lambda obj: "80, 443" if dig(obj, "spec", "tls") else "80"),
    AGE,
)


def _parameters(ingress_class: Object) -> str:
    reference = dig(ingress_class, "spec", "parameters")
    if not isinstance(reference, dict):
        return "<none>"
    group = reference.get("apiGroup")
    return f"{reference.get('kind')}{f'.{group}' if group else ''}/{reference.get('name')}"


INGRESS_CLASS = (
    NAME,
    text("Controller", "spec", "controller"),
    column("Parameters", _parameters),
    AGE,
)
NETWORK_POLICY = (
    NAME,
    column("Pod-Selector", lambda obj: labels_text(dig(obj, "spec", "podSelector", "matchLabels"))),
    AGE,
)
