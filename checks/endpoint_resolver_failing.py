"""Name resolution fails in the execution plane.

Meaning       The name servers of the plane do not answer, or answer with an error; the name itself
              may be right.
Decided by    "server misbehaving" or a time-out of a lookup in the client's log, or what a probe
              pod saw.
What to do    Look at the DNS pods of the plane's cluster (CoreDNS), at network policies that block
              port 53, and at the search list of the pod.
False alarms  A name that does not exist is another fault: endpoint-name-unknown.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    PodProbe,
    SdkHealth,
    answered,
    check,
    cluster_of,
    failed,
    kubectl,
    ongoing,
    passed,
    quoted,
    registered,
    skipped,
    undecided,
)

_FAILING = ("server-failure", "query-refused", "resolver-timeout", "resolver-missing", "cname-loop")


@check(about=KeptnService, layer=Layer.RESOLVE, breaks="disconnected", since="0.1")
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    plane: ExecutionPlane | None,
    local: LocalApiAnswer | None,
    health: SdkHealth | None,
    logs: tuple[PodLog, ...] | None,
    probe: PodProbe | None,
) -> Finding:
    """Only what was seen inside the plane tells of its resolver."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    if answered(local):
        return passed(f"{service.name} gets an answer from {endpoint.host}.")
    remedy = (
        "Repair name resolution in the plane's cluster: its DNS pods, port 53 in network policies, "
        "and the search list of the pod."
    )
    command = kubectl(plane, "get pods -l k8s-app=kube-dns -o wide", namespace="kube-system")
    at_fault = (f"name servers of {cluster_of(service, plane)}",)
    told = [m for m in ongoing(logs, cause="dns") if "no such host" not in m.text]
    if told:
        summary = f"Name servers of {service.plane} fail for {service.name}: {quoted(told[0])}."
        return failed(summary, remedy=remedy, command=command, at_fault=at_fault)
    if probe is not None and probe.resolve in _FAILING:
        summary = (
            f"A probe pod beside {service.name} got no answer for {endpoint.host} "
            f"({probe.resolve})."
        )
        return failed(summary, remedy=remedy, command=command, at_fault=at_fault)
    if probe is not None and probe.resolve:
        return passed(f"A probe pod beside {service.name} was answered by its name server.")
    if registered(health):
        return passed(f"{service.name} is registered, so its requests arrived.")
    return undecided(
        f"Name resolution in {service.plane} was not seen from inside.",
        missing=("the log of the client, or a probe pod (--probe-pod)",),
    )
