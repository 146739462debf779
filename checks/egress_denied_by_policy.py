"""A NetworkPolicy keeps the Keptn service from calling the control plane.

Meaning       Policies select the pods and permit no connection to the gateway's address and port.
Decided by    All policies that select the service's pods, joined as Kubernetes does, against the
              address that the service calls.
What to do    Add an egress rule for the gateway's address and port.
False alarms  A network plugin that does not enforce policies lets everything out; a service that
              gets answers passes.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    OPERATOR_SIDE,
    ControlPlane,
    DnsAnswer,
    Endpoint,
    ExecutionPlane,
    Failure,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    NetworkPolicies,
    PodLog,
    PodProbe,
    SdkHealth,
    called,
    check,
    cluster_of,
    failed,
    gets_through,
    kubectl,
    names_of,
    passed,
    permits,
    pinned_addresses,
    restricting,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    proven_by="state",
    explains=("endpoint-unreachable", "service-crash-looping", "endpoint-port-refused"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    control_plane: ControlPlane,
    endpoint: Endpoint | None,
    policies: NetworkPolicies,
    local: LocalApiAnswer | None,
    health: SdkHealth | None,
    logs: tuple[PodLog, ...] | None,
    probe: PodProbe | None,
    outside: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
) -> Finding:
    """Objects decide, unless the service is seen to get through."""
    if endpoint is None or not endpoint.port:
        return skipped(f"{service.name} has no endpoint with a port.")
    if gets_through(local, health, logs):
        return passed(f"{service.name} gets an answer from {endpoint.host}.")
    selected = restricting(policies, service)
    if not selected:
        return passed(f"No policy restricts what {service.name} may call.")
    if plane is not None and plane.cluster_uid and plane.cluster_uid == control_plane.cluster_uid:
        return skipped(f"{service.name} calls pods of its own cluster, as selectors decide.")
    if pinned_addresses(selected, endpoint.port):
        return skipped("The policies name single addresses; see pinned-address-policy.")
    where = called(endpoint, logs, probe, outside).addresses
    if not where:
        return undecided(f"Which address {service.name} calls was not seen.")
    denied = [a for a in where if not permits(selected, a, endpoint.port)]
    if len(denied) < len(where):
        return passed(f"The policies let {service.name} call {endpoint.host}.")
    return failed(
        f"{names_of(selected)} does not let {service.name} call {denied[0]} on port "
        f"{endpoint.port}.",
        remedy=f"Add an egress rule for {denied[0]}, TCP port {endpoint.port}.",
        command=kubectl(plane, "get networkpolicies -o yaml", namespace=service.namespace),
        at_fault=(f"{names_of(selected)} of {cluster_of(service, plane)} denies egress",),
    )
