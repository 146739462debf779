"""The endpoint's scheme does not fit what listens on its port.

Meaning       https is spoken to a port that answers in plain HTTP or that the gateway does not
              open, or http to a port that expects TLS. No request is understood.
Decided by    The client's log ("server gave HTTP response to HTTPS client", "plain HTTP request
              was sent to HTTPS port"); the ports of the gateway's load balancer, when the endpoint
              leads to it; or a handshake from the operator's machine that meets plain text, which
              is decisive when the endpoint is a literal address.
What to do    Change the scheme, or use the other port. Keptn's gateway itself speaks plain HTTP;
              TLS ends at an ingress or load balancer.
False alarms  None known: both sides must agree whatever the version.
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
    GatewayService,
    HttpAnswer,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    PodProbe,
    SdkHealth,
    TlsSession,
    address,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    registered,
    set_variable,
    skipped,
    suspected,
    undecided,
)


@check(about=KeptnService, layer=Layer.TLS, breaks="disconnected", proven_by="state", since="0.1")
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    plane: ExecutionPlane | None,
    local: LocalApiAnswer | None,
    health: SdkHealth | None,
    logs: tuple[PodLog, ...] | None,
    probe: PodProbe | None,
    session: Annotated[TlsSession | Failure | None, OPERATOR_SIDE],
    dns: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
    answers: GatewayAnswers | None,
    gateway: GatewayService | None,
) -> Finding:
    """The client's own words first, then a probe pod, then the port as seen from here."""
    if endpoint is None or not endpoint.scheme:
        return skipped(f"{service.name} has no endpoint with a scheme.")
    if local is not None and 200 <= local.registration.status < 300:
        return passed(f"{service.name} gets answers by {endpoint.scheme}.")
    where = address(endpoint)
    other = "http" if endpoint.scheme == "https" else "https"
    listens = "plain HTTP" if endpoint.scheme == "https" else "TLS"
    remedy = f"Use {other}:// in KEPTN_API_ENDPOINT, or the port that speaks {endpoint.scheme}."
    url = f"{other}://{endpoint.url.partition('://')[2]}"
    command = set_variable(plane, service, f"KEPTN_API_ENDPOINT={url}")
    told = ongoing(logs, cause="wrong_scheme")
    if told:
        summary = (
            f"{service.name} speaks {endpoint.scheme} to {where}, which speaks {listens}: "
            f"{quoted(told[0])}."
        )
        return failed(summary, remedy=remedy, command=command)
    if probe is not None and probe.tls == "not-tls":
        summary = f"A probe pod beside {service.name} met plain HTTP on {where} instead of TLS."
        return failed(summary, remedy=remedy, command=command)
    if registered(health):
        return passed(f"{service.name} is registered, so its requests arrived.")
    if endpoint.scheme == "https" and isinstance(session, TlsSession):
        return passed(f"{where} speaks TLS.")
    if isinstance(session, Failure) and session.phase == "tls" and session.code != "not-tls":
        return passed(f"{where} speaks TLS, though its handshake fails ({session.code}).")
    if _port_not_opened(endpoint, dns, gateway):
        opened = ", ".join(str(port.port) for port in gateway.ports) if gateway else ""
        summary = (
            f"The endpoint says {endpoint.scheme} on port {endpoint.port}, but the gateway's load "
            f"balancer at {endpoint.host} opens {opened} only."
        )
        return failed(summary, remedy=remedy, command=command)
    if not _meets_other_protocol(session, answers):
        return undecided(f"What {where} speaks was not seen.")
    summary = f"{where} speaks {listens}, but the endpoint says {endpoint.scheme}."
    failing = ongoing(logs, event=("not_registered", "heartbeat", "poll"))
    if failing or (isinstance(dns, DnsAnswer) and dns.literal):
        return failed(summary, remedy=remedy, command=command)
    return suspected(summary, remedy=remedy, command=command)


def _port_not_opened(
    endpoint: Endpoint, dns: DnsAnswer | Failure | None, gateway: GatewayService | None
) -> bool:
    """Https to the gateway's own load balancer, which opens plain ports and not this one."""
    if gateway is None or gateway.type != "LoadBalancer" or endpoint.scheme != "https":
        return False
    given = {entry.ip or entry.hostname for entry in gateway.load_balancer} - {""}
    resolved = set(dns.addresses) if isinstance(dns, DnsAnswer) else set()
    leads_there = bool(given & ({endpoint.host} | resolved))
    return leads_there and all(port.port not in (endpoint.port, 443) for port in gateway.ports)


def _meets_other_protocol(
    session: TlsSession | Failure | None, answers: GatewayAnswers | None
) -> bool:
    """TLS met plain text, or a plain request was told that it came to a TLS port."""
    if isinstance(session, Failure):
        return session.code == "not-tls"
    replies = [item.answer for item in answers.routes] if answers else []
    return any(
        isinstance(reply, HttpAnswer) and reply.status == 400 and "HTTPS port" in reply.title
        for reply in replies
    )
