"""The endpoint has addresses of one family only, and the pods of the plane none of that family.

Meaning       The name has an AAAA record and no A record (or the other way round), while the pods
              have IPv4 addresses only (IPv6 only), so there is no way from one to the other.
Decided by    The addresses that the service calls, those of its pods, and connections that fail.
What to do    Add a record of the other family, let the gateway listen on both, or use a dual-stack
              cluster.
False alarms  Where NAT64 or a proxy translates, connections work; then it is passed.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    OPERATOR_SIDE,
    DnsAnswer,
    Endpoint,
    ExecutionPlane,
    Failure,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    PodProbe,
    Workload,
    answered,
    called,
    check,
    failed,
    live_pods,
    ongoing,
    passed,
    quoted,
    read_log,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    explains=(
        "endpoint-unreachable",
        "endpoint-port-refused",
        "endpoint-address-stale",
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
    workload: Workload,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
    probe: PodProbe | None,
    dns: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
) -> Finding:
    """Two sets of addresses without a family in common, and nothing that gets through."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    if answered(local):
        return passed(f"{service.name} gets an answer from {endpoint.host}.")
    there = called(endpoint, logs, probe, dns).addresses
    here = tuple(pod.ip for pod in live_pods(workload) if pod.ip)
    if not there or not here:
        return undecided(f"The addresses of {service.name} and {endpoint.host} were not both seen.")
    if _families(there) & _families(here):
        return passed(f"{service.name} and {endpoint.host} have addresses of one family.")
    told = ongoing(logs, cause=("tcp_timeout", "tcp_refused"))
    unreached = local is not None and local.origin == "distributor"
    if not told and not unreached:
        return undecided(f"No connection of {service.name} to {there[0]} was seen to fail.")
    seen = f": {quoted(told[0])}" if told else ""
    return failed(
        f"{endpoint.host} has {_words(there)} addresses only ({there[0]}), and the pods of "
        f"{service.name} have {_words(here)} ones{seen}.",
        remedy="Add a record of the other family, or let the plane's pods have both.",
        command=read_log(plane, service),
    )


def _families(addresses: tuple[str, ...]) -> set[bool]:
    return {":" in address for address in addresses}


def _words(addresses: tuple[str, ...]) -> str:
    return "IPv6" if ":" in addresses[0] else "IPv4"
