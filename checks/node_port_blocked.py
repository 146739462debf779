"""The gateway's node port is blocked on the way from the execution plane.

Meaning       The gateway is exposed by a port of the nodes (30000 to 32767, the chart's default is
              31090), which security groups and host firewalls block unless told otherwise.
Decided by    An endpoint with the gateway's node port, whose connections from the Keptn service
              get no answer.
What to do    Open the port for the address that the plane's connections come from.
False alarms  A private node address of another site fails for a different reason; see
              node-address-private. A refused connection is no blocked one.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    Finding,
    GatewayService,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    PodProbe,
    answered,
    check,
    failed,
    ongoing,
    passed,
    read_log,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    explained_by=(
        "egress-denied-by-policy",
        "pinned-address-policy",
        "node-address-private",
        "endpoint-address-stale",
        "source-ranges-exclude-plane",
        "node-without-gateway-pod",
    ),
    explains=("endpoint-unreachable", "egress-filtered", "service-crash-looping"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    gateway: GatewayService,
    logs: tuple[PodLog, ...] | None,
    local: LocalApiAnswer | None,
    probe: PodProbe | None,
) -> Finding:
    """Only silence towards the service's own connections counts."""
    node_ports = {port.node_port for port in gateway.ports if port.node_port}
    if endpoint is None or endpoint.port not in node_ports:
        return skipped(f"{service.name} does not call a node port of the gateway.")
    if answered(local):
        return passed(f"{service.name} gets an answer from node port {endpoint.port}.")
    told = ongoing(logs, cause="tcp_timeout")
    silent = probe is not None and probe.connect in ("connect-timeout", "host-unreachable")
    if not told and not silent:
        return undecided(
            f"Whether {service.name} can connect to node port {endpoint.port} was not seen.",
            missing=("the log of the client, or a probe pod (--probe-pod)",),
        )
    return failed(
        f"Connections of {service.name} to node port {endpoint.port} of {endpoint.host} get no "
        "answer.",
        remedy=f"Open TCP port {endpoint.port} of the control plane's nodes for {service.plane} "
        "(security group, host firewall).",
        command=read_log(plane, service),
    )
