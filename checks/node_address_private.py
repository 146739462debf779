"""The endpoint is a private address of a node that the execution plane has no route to.

Meaning       The installation guide says to try a node's InternalIP. Such an address means
              something only in its own network; from another site packets to it get lost, or reach
              somebody else.
Decided by    A private InternalIP of a control-plane node in the endpoint, no answer to the Keptn
              service, and nodes of the plane in another network (or a node with an ExternalIP,
              which should have been used).
What to do    Use a node's external address, or a load balancer.
False alarms  Sites that are connected (peering, VPN) answer, and then nothing is wrong.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    CONTROL_PLANE,
    Endpoint,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    Nodes,
    PodLog,
    PodProbe,
    check,
    failed,
    is_private,
    keptn_answered,
    ongoing,
    passed,
    set_variable,
    skipped,
    undecided,
    written_address,
)


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    explained_by=(
        "egress-denied-by-policy",
        "pinned-address-policy",
    ),
    explains=(
        "endpoint-unreachable",
        "endpoint-port-refused",
        "answered-by-something-else",
        "egress-filtered",
        "service-crash-looping",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    there: Annotated[Nodes, CONTROL_PLANE],
    here: Nodes | None,
    logs: tuple[PodLog, ...] | None,
    local: LocalApiAnswer | None,
    probe: PodProbe | None,
) -> Finding:
    """Whose address it is, whether it answers, and whether both are neighbours."""
    address = written_address(endpoint.host) if endpoint is not None else ""
    owner = next((n for n in there.nodes if address and address in n.internal_addresses), None)
    if endpoint is None or owner is None or not is_private(address):
        return skipped(f"{service.name} does not call a private address of a node.")
    if keptn_answered(local):
        return passed(f"{service.name} gets an answer from node address {address}.")
    told = ongoing(logs, cause=("tcp_timeout", "tcp_refused"))
    silent = probe is not None and probe.connect not in ("", "ok")
    if not told and not silent and local is None:
        return undecided(f"Whether {service.name} can connect to {address} was not seen.")
    outer = next((a for a in owner.external_addresses if a != address), "")
    neighbours = [a for node in (here.nodes if here else ()) for a in node.internal_addresses]
    near = any(_network(address) == _network(other) for other in neighbours)
    if not outer and (near or not neighbours):
        return undecided(f"{address} may well be in a network that {service.plane} reaches.")
    right = outer or "<load balancer>"
    return failed(
        f"{endpoint.host} is the private address of node {owner.name} of the control plane, and "
        f"{service.name} gets no answer there.",
        remedy="Use an address that the plane can route to: a node's external one, or a load "
        "balancer.",
        command=set_variable(
            plane,
            service,
            f"KEPTN_API_ENDPOINT={endpoint.scheme}://{right}:{endpoint.port}{endpoint.path}",
        ),
    )


def _network(address: str) -> str:
    """The first half of an address: sites are seldom cut finer than that."""
    return ".".join(address.split(".")[:2]) if "." in address else address.partition("::")[0]
