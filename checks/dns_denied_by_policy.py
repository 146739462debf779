"""A NetworkPolicy keeps the Keptn service from asking its name server.

Meaning       The policies that select the pods permit no DNS (UDP port 53), so no host name can be
              resolved, even where the gateway's address itself is permitted.
Decided by    All policies that select the service's pods, joined as Kubernetes does.
What to do    Permit UDP and TCP port 53 (5353 on OpenShift) to the cluster's DNS pods and to the
              node-local cache.
False alarms  An endpoint with a literal address needs no name server; a service that gets answers
              passes.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    NetworkPolicies,
    PodLog,
    SdkHealth,
    check,
    cluster_of,
    failed,
    gets_through,
    kubectl,
    names_of,
    ongoing,
    passed,
    permits_dns,
    quoted,
    restricting,
    skipped,
    suspected,
    written_address,
)


@check(
    about=KeptnService,
    layer=Layer.RESOLVE,
    breaks="disconnected",
    proven_by="state",
    explains=(
        "endpoint-resolver-failing",
        "endpoint-name-unknown",
        "service-crash-looping",
        "endpoint-unreachable",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    policies: NetworkPolicies,
    local: LocalApiAnswer | None,
    health: SdkHealth | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """No rule for port 53 is proof; a rule for the wrong pods is a suspicion."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    if written_address(endpoint.host) == endpoint.host:
        return skipped(f"{endpoint.host} is an address; nothing has to be resolved.")
    if gets_through(local, health, logs):
        return passed(f"{service.name} gets an answer from {endpoint.host}.")
    selected = restricting(policies, service)
    if not selected:
        return passed(f"No policy restricts what {service.name} may call.")
    remedy = "Add an egress rule for UDP and TCP port 53 to the cluster's DNS."
    command = kubectl(plane, "get networkpolicies -o yaml", namespace=service.namespace)
    if not permits_dns(selected):
        summary = f"{names_of(selected)} does not let {service.name} ask a name server (port 53)."
        at_fault = (f"{names_of(selected)} of {cluster_of(service, plane)} denies DNS",)
        return failed(summary, remedy=remedy, command=command, at_fault=at_fault)
    told = [m for m in ongoing(logs, cause="dns") if "no such host" not in m.text]
    if told:
        summary = (
            f"{names_of(selected)} permits DNS of some kind, yet lookups of {service.name} fail: "
            f"{quoted(told[0])}."
        )
        return suspected(summary, remedy=remedy, command=command)
    return passed(f"{names_of(selected)} lets {service.name} ask a name server.")
