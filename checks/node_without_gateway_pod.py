"""The endpoint is a node that hands nothing on to the gateway.

Meaning       With externalTrafficPolicy Local a node serves only pods of its own. A node without a
              pod of the gateway drops every connection to the node port.
Decided by    The policy of the Service, the nodes that hold a ready gateway pod, and the node that
              the endpoint names.
What to do    Call a node that holds a gateway pod, or set externalTrafficPolicy to Cluster.
False alarms  A load balancer asks the nodes and leaves such ones out; this is about endpoints that
              name a node themselves.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    CONTROL_PLANE,
    ControlPlane,
    Endpoint,
    Finding,
    GatewayService,
    KeptnService,
    Layer,
    LocalApiAnswer,
    Nodes,
    answered,
    check,
    failed,
    kubectl,
    passed,
    skipped,
    undecided,
    written_address,
)


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    proven_by="state",
    explained_by=("gateway-down",),
    explains=(
        "endpoint-unreachable",
        "endpoint-port-refused",
        "egress-filtered",
        "service-crash-looping",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    endpoint: Endpoint | None,
    gateway: GatewayService,
    there: Annotated[Nodes, CONTROL_PLANE],
    local: LocalApiAnswer | None,
) -> Finding:
    """The node that is called, and the nodes that would answer."""
    node_ports = {port.node_port for port in gateway.ports if port.node_port}
    if endpoint is None or endpoint.port not in node_ports:
        return skipped(f"{service.name} does not call a node port of the gateway.")
    if gateway.external_traffic_policy != "Local":
        return passed("Every node hands its node port on to the gateway.")
    address = written_address(endpoint.host)
    node = next(
        (n for n in there.nodes if address in (*n.internal_addresses, *n.external_addresses)), None
    )
    if not address or node is None:
        return undecided(f"Which node {endpoint.host} is could not be told.")
    if node.name in gateway.endpoint_nodes or answered(local):
        return passed(f"Node {node.name} holds a pod of the gateway.")
    if not gateway.endpoint_nodes:
        return undecided("Which nodes hold a pod of the gateway could not be told.")
    return failed(
        f"Node {node.name}, which {service.name} calls, holds no pod of the gateway, and "
        "externalTrafficPolicy is Local.",
        remedy=f"Call {', '.join(gateway.endpoint_nodes)}, or set externalTrafficPolicy to "
        "Cluster.",
        command=kubectl(
            control_plane,
            'patch service api-gateway-nginx -p \'{"spec":{"externalTrafficPolicy":"Cluster"}}\'',
            namespace=gateway.namespace,
        ),
        at_fault=(f"node {node.name} without a pod of the gateway",),
    )
