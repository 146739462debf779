"""The endpoint's port is closed.

Meaning       The host is right, and nothing listens on that port: connections are refused, or a
              load balancer that does not open the port drops them.
Decided by    "connection refused" in the client's log, or what a probe pod saw; or the ports that
              the gateway's load balancer and nodes open, when the endpoint leads to one of them and
              nobody gets through. A refusal towards the operator's machine alone is a suspicion.
What to do    Compare the port with the one that the gateway is exposed on; see whether a pod of the
              gateway is behind it.
False alarms  A name server whose port is refused is another fault: endpoint-resolver-failing.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    CONTROL_PLANE,
    OPERATOR_SIDE,
    DnsAnswer,
    Endpoint,
    ExecutionPlane,
    Failure,
    Finding,
    GatewayService,
    KeptnService,
    Layer,
    LocalApiAnswer,
    Nodes,
    PodLog,
    PodProbe,
    SdkHealth,
    TcpConnection,
    address,
    answered,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    read_log,
    registered,
    skipped,
    suspected,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    explains=("endpoint-unreachable", "egress-filtered", "node-port-blocked"),
    explained_by=(
        "endpoint-cluster-internal",
        "gateway-not-exposed",
        "gateway-address-pending",
        "gateway-down",
        "scheme-port-mismatch",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    plane: ExecutionPlane | None,
    local: LocalApiAnswer | None,
    health: SdkHealth | None,
    logs: tuple[PodLog, ...] | None,
    probe: PodProbe | None,
    outside: Annotated[TcpConnection | Failure | None, OPERATOR_SIDE],
    dns: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
    gateway: GatewayService | None,
    nodes: Annotated[Nodes | None, CONTROL_PLANE],
) -> Finding:
    """Inside evidence decides; the operator's own connection only points."""
    if endpoint is None or not endpoint.port:
        return skipped(f"{service.name} has no endpoint with a port.")
    where = address(endpoint)
    if answered(local):
        return passed(f"{service.name} gets an answer from {where}.")
    remedy = "Use the port on which the gateway is exposed, and see that the gateway runs."
    told = ongoing(logs, cause="tcp_refused")
    if told:
        summary = f"{where} refuses connections of {service.name}: {quoted(told[0])}."
        return failed(summary, remedy=remedy, command=read_log(plane, service))
    if probe is not None and probe.connect == "connection-refused":
        summary = f"{where} refuses connections of a probe pod beside {service.name}."
        return failed(summary, remedy=remedy, command=read_log(plane, service))
    if probe is not None and probe.connect == "ok":
        return passed(f"A probe pod beside {service.name} connects to {where}.")
    if registered(health):
        return passed(f"{service.name} is registered, so its requests arrived.")
    opened = _opened_instead(endpoint, dns, gateway, nodes)
    if opened and not isinstance(outside, TcpConnection):
        summary = f"{endpoint.host} is the gateway's, but opens {opened}, not {endpoint.port}."
        return failed(summary, remedy=remedy, command=read_log(plane, service))
    if isinstance(outside, Failure) and outside.code == "connection-refused":
        return suspected(f"{where} refuses connections from this machine.", remedy=remedy)
    return undecided(
        f"Whether {service.name} can connect to {where} was not seen from inside.",
        missing=("the log of the client, or a probe pod (--probe-pod)",),
    )


def _opened_instead(
    endpoint: Endpoint,
    dns: DnsAnswer | Failure | None,
    gateway: GatewayService | None,
    nodes: Nodes | None,
) -> str:
    """The ports that the gateway opens where the endpoint leads, when its own is none of them.

    Which port speaks TLS is another check's business, and so is 443, which a cloud's load balancer
    may open beside those of the Service.
    """
    if gateway is None or endpoint.scheme != "http" or endpoint.port == 443:
        return ""
    leads_to = {endpoint.host} | (set(dns.addresses) if isinstance(dns, DnsAnswer) else set())
    balancer = {entry.ip or entry.hostname for entry in gateway.load_balancer} - {""}
    opened = {port.port for port in gateway.ports if balancer & leads_to}
    own = {
        address
        for node in (nodes.nodes if nodes else ())
        for address in (*node.internal_addresses, *node.external_addresses)
    }
    opened |= {port.node_port for port in gateway.ports if port.node_port and own & leads_to}
    if not opened or endpoint.port in opened:
        return ""
    return ", ".join(str(port) for port in sorted(opened))
