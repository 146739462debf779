"""Connections of the Keptn service to the endpoint get no answer.

Meaning       Something on the way drops or breaks the packets: a firewall, a network policy, a
              missing route, an address that nobody announces, an egress proxy that must be used.
Decided by    Time-outs, resets or "no route to host" in the client's log, or what a probe pod saw.
              The same from the operator's machine alone is a suspicion.
What to do    If this machine gets through and the plane does not, look at the plane's way out
              (network policy, firewall, proxy); if neither does, at the gateway's exposure.
False alarms  A slow control plane answers late with a status; that is no break of the connection.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    OPERATOR_SIDE,
    Endpoint,
    ExecutionPlane,
    Failure,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    PodProbe,
    SdkHealth,
    TcpConnection,
    address,
    answered,
    check,
    failed,
    kubectl,
    ongoing,
    passed,
    quoted,
    registered,
    skipped,
    suspected,
    undecided,
)

_SILENT = (
    "connect-timeout", "host-unreachable", "network-unreachable", "connection-reset",
    "connection-closed",
)  # fmt: skip


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
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
) -> Finding:
    """Inside evidence decides, and the operator's view tells which side of the way to look at."""
    if endpoint is None or not endpoint.port:
        return skipped(f"{service.name} has no endpoint with a port.")
    where = address(endpoint)
    if answered(local):
        return passed(f"{service.name} gets an answer from {where}.")
    remedy = _remedy(outside, service.plane)
    command = kubectl(plane, "get networkpolicies -o wide", namespace=service.namespace)
    told = ongoing(logs, cause=("tcp_timeout", "tcp_reset", "egress_proxy"))
    if told:
        summary = f"Connections of {service.name} to {where} get no answer: {quoted(told[0])}."
        return failed(summary, remedy=remedy, command=command)
    if probe is not None and probe.connect in _SILENT:
        summary = f"A probe pod beside {service.name} cannot connect to {where} ({probe.connect})."
        return failed(summary, remedy=remedy, command=command)
    if probe is not None and probe.connect == "ok":
        return passed(f"A probe pod beside {service.name} connects to {where}.")
    if registered(health):
        return passed(f"{service.name} is registered, so its requests arrived.")
    if isinstance(outside, Failure) and outside.code in _SILENT:
        summary = f"{where} does not answer connections from this machine ({outside.code})."
        return suspected(summary, remedy=remedy)
    return undecided(
        f"Whether {service.name} can connect to {where} was not seen from inside.",
        missing=("the log of the client, or a probe pod (--probe-pod)",),
    )


def _remedy(outside: TcpConnection | Failure | None, plane: str) -> str:
    if isinstance(outside, TcpConnection):
        return (
            f"This machine gets through, so look at the way out of {plane}: network policies, "
            "firewall, egress proxy."
        )
    if isinstance(outside, Failure):
        return "This machine does not get through either: look at how the gateway is exposed."
    return (
        f"Look at the way out of {plane} first (network policies, firewall), then at the gateway."
    )
