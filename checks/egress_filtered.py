"""Something between the execution plane and the gateway drops the plane's packets.

Meaning       A perimeter firewall, a security group or a missing route: connections of the Keptn
              service get no answer at an address that answers others.
Decided by    Time-outs or "no route to host" in the client's log or of a probe pod, while this
              machine connects to the same endpoint.
What to do    Ask for the port to be opened from the plane's NAT address to the gateway's address.
False alarms  A network policy, a proxy that must be used, the gateway's own list of sources, a
              stale address: each has a check of its own that takes this one's place. Where the
              client does not log the address it calls, its name server may have given another one.
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
    GatewayAnswers,
    HttpAnswer,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    PodProbe,
    TcpConnection,
    TlsSession,
    address,
    answered,
    called,
    check,
    failed,
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
    explained_by=(
        "egress-denied-by-policy",
        "pinned-address-policy",
        "endpoint-cluster-internal",
        "gateway-not-exposed",
        "gateway-address-pending",
        "gateway-down",
    ),
    explains=("endpoint-unreachable", "service-crash-looping"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
    probe: PodProbe | None,
    outside: Annotated[TcpConnection | Failure | None, OPERATOR_SIDE],
    dns: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
    session: Annotated[TlsSession | Failure | None, OPERATOR_SIDE],
    answers: GatewayAnswers | None,
) -> Finding:
    """Inside silence beside an answer outside."""
    if endpoint is None or not endpoint.port:
        return skipped(f"{service.name} has no endpoint with a port.")
    where = address(endpoint)
    if answered(local):
        return passed(f"{service.name} gets an answer from {where}.")
    told = ongoing(logs, cause="tcp_timeout")
    silent = probe is not None and probe.connect in (
        "connect-timeout",
        "host-unreachable",
        "network-unreachable",
    )
    if not told and not silent:
        return undecided(
            f"No connection of {service.name} to {where} was seen to get no answer.",
            missing=("the log of the client, or a probe pod (--probe-pod)",),
        )
    if isinstance(outside, Failure) and outside.code == "connection-refused":
        reached = "refuses connections from this machine"
    elif isinstance(outside, TcpConnection) and _talks(session, answers):
        reached = f"answers this machine ({outside.address})"
    else:
        return undecided(f"Whether anybody gets through to {where} was not seen.")
    here = dns.addresses if isinstance(dns, DnsAnswer) else ()
    there = called(endpoint, logs, probe, dns)
    if there.certain and here and not set(there.addresses) & set(here):
        return skipped(f"{service.name} calls {there.addresses[0]}, this machine {here[0]}.")
    evidence = quoted(told[0]) if told else f"a probe pod met {probe.connect if probe else ''}"
    return failed(
        f"Connections of {service.name} to {where} get no answer, while {where} {reached}: "
        f"{evidence}.",
        remedy=f"Let the firewall open TCP {endpoint.port} from {service.plane} to "
        f"{here[0] if here else endpoint.host}.",
        command=read_log(plane, service),
    )


def _talks(session: TlsSession | Failure | None, answers: GatewayAnswers | None) -> bool:
    """A connection alone is little: something that accepts and stays silent filters nobody."""
    pages = [route.answer for route in answers.routes] if answers is not None else []
    return isinstance(session, TlsSession) or any(isinstance(page, HttpAnswer) for page in pages)
