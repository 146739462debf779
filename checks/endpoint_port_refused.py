"""The endpoint's port is closed.

Meaning       The host answers, and says that nothing listens on that port.
Decided by    "connection refused" in the client's log, or what a probe pod saw. A refusal towards
              the operator's machine alone is a suspicion.
What to do    Compare the port with the one that the gateway is exposed on; see whether a pod of the
              gateway is behind it.
False alarms  A name server whose port is refused is another fault: endpoint-resolver-failing.
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
    if isinstance(outside, Failure) and outside.code == "connection-refused":
        return suspected(f"{where} refuses connections from this machine.", remedy=remedy)
    return undecided(
        f"Whether {service.name} can connect to {where} was not seen from inside.",
        missing=("the log of the client, or a probe pod (--probe-pod)",),
    )
