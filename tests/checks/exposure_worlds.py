"""Pieces of worlds about the gateway's exposure and the way to it, for the tests of checks."""

from __future__ import annotations

from keptn_doctor.api import (
    Certificate,
    DnsAnswer,
    ExposureRoute,
    ExposureRoutes,
    GatewayAnswers,
    GatewayService,
    HttpAnswer,
    LoadBalancerIngress,
    LoadBalancerProvider,
    NetworkPolicies,
    Nodes,
    NodeState,
    RouteAnswer,
    ServicePort,
    TcpConnection,
    TlsSession,
)
from keptn_doctor.testing import seen

CONTROL_PLANE = "control-plane/keptn"
HERE = "203.0.113.20"


def gateway(kind="LoadBalancer", *, ip=HERE, hostname="", node_port=0, **fields):
    """The gateway's Service; without an address when ``ip`` and ``hostname`` are empty."""
    given = (LoadBalancerIngress(ip=ip, hostname=hostname),) if ip or hostname else ()
    usual = {
        "namespace": "keptn",
        "type": kind,
        "ports": (ServicePort(name="http", port=80, target="8080", node_port=node_port),),
        "load_balancer": given if kind == "LoadBalancer" else (),
        "ready_endpoints": 1,
    }
    return GatewayService(**{**usual, **fields})


def gateway_seen(kind="LoadBalancer", **fields):
    return seen(CONTROL_PLANE, gateway(kind, **fields))


def provider_seen(**fields):
    return seen(CONTROL_PLANE, LoadBalancerProvider(**fields))


def nodes(subject=CONTROL_PLANE, *, internal=("10.0.1.11",), external=(), name="node-1"):
    """A cluster of one node."""
    node = NodeState(name=name, internal_addresses=internal, external_addresses=external)
    return seen(subject, Nodes(nodes=(node,)))


def route(kind="Ingress", *, hosts=("keptn.example.com",), **fields):
    """A route to the gateway, with an address and a rule for the host."""
    usual = {
        "route_kind": kind,
        "namespace": "keptn",
        "name": "api-keptn-ingress",
        "hosts": hosts,
        "backend_service": "api-gateway-nginx",
        "addresses": (HERE,),
    }
    return ExposureRoute(**{**usual, **fields})


def routes_seen(*routes, **fields):
    return seen(CONTROL_PLANE, ExposureRoutes(routes=routes, **fields))


def policies_seen(*policies, mesh=(), subject="exec-a"):
    return seen(subject, NetworkPolicies(policies=policies, mesh=mesh))


def dns(service, *addresses, name="keptn.example.com", **fields):
    """What the operator's name server answers for the endpoint of a service."""
    fact = DnsAnswer(name=name, ipv4=addresses or (HERE,), **fields)
    return seen(f"endpoint:{service.endpoint}", fact)


def connects(service, *, at=HERE, port=443):
    """This machine connects to the endpoint of a service."""
    fact = TcpConnection(host="keptn.example.com", port=port, address=at)
    return seen(f"endpoint:{service.endpoint}", fact)


def reply(status=200, **fields):
    return HttpAnswer(**{"url": "https://keptn.example.com/api/x", "status": status, **fields})


def answers_seen(service, *, reached="keptn", version="0.16.2", **routes):
    """What the routes behind a service's endpoint answer to this machine, by route name."""
    fact = GatewayAnswers(
        reached=reached,
        keptn_version=version,
        routes=tuple(
            RouteAnswer(route=name.replace("_", "-"), with_token=True, answer=answer)
            for name, answer in routes.items()
        ),
    )
    return seen(f"endpoint:{service.endpoint}", fact)


def certificate(subject="CN=keptn.example.com", **fields):
    return Certificate(**{"subject": subject, "issuer": subject, **fields})


def tls_seen(service, problem="", *chain, **fields):
    """This machine's TLS session with the endpoint of a service."""
    fact = TlsSession(host="keptn.example.com", problem=problem, chain=chain, **fields)
    return seen(f"endpoint:{service.endpoint}", fact)
