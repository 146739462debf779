"""The endpoint demands a client certificate, which no Keptn client has.

Meaning       The ingress or load balancer is set to mutual TLS. Distributors and SDK services
              cannot present a certificate, so every handshake or request is refused.
Decided by    The client's log ("certificate required", "No required SSL certificate was sent"), the
              answer to its own request, or the refusal of this machine's handshake.
What to do    Exempt /api from client certificates, or give the API a host of its own without them.
False alarms  A certificate that is asked for but not required does no harm.
"""

from __future__ import annotations

from keptn_doctor.api import (
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
    TlsSession,
    address,
    answered,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    read_log,
    skipped,
    suspected,
    undecided,
)

_NGINX = "No required SSL certificate"


@check(
    about=KeptnService,
    layer=Layer.TLS,
    breaks="disconnected",
    explains=(
        "endpoint-unreachable",
        "answered-by-something-else",
        "service-crash-looping",
        "api-path-wrong",
        "egress-filtered",
        "not-registered",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    plane: ExecutionPlane | None,
    session: TlsSession | Failure | None,
    answers: GatewayAnswers | None,
    logs: tuple[PodLog, ...] | None,
    local: LocalApiAnswer | None,
) -> Finding:
    """The service's own refusal decides; this machine's own is a hint."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    remedy = "Exempt /api from client certificates, or use a host without them."
    at_fault = (f"client certificates at {address(endpoint)}",)
    told = ongoing(logs, cause="tls_client_certificate")
    if told:
        summary = f"{endpoint.host} wants a certificate of {service.name}: {quoted(told[0])}."
        command = read_log(plane, service)
        return failed(summary, remedy=remedy, command=command, at_fault=at_fault)
    if local is not None and local.registration.status == 400 and _named(local.registration):
        summary = f"{endpoint.host} answers {service.name}: “{local.registration.title}”."
        return failed(summary, remedy=remedy, at_fault=at_fault)
    if answered(local):
        return passed(f"{endpoint.host} answers {service.name} without a certificate.")
    refused = isinstance(session, Failure) and session.code == "client-certificate-required"
    pages = [item.answer for item in answers.routes] if answers else []
    if refused or any(isinstance(page, HttpAnswer) and _named(page) for page in pages):
        if ongoing(logs, event=("not_registered", "heartbeat", "poll")):
            summary = f"{endpoint.host} demands a client certificate, and {service.name} fails."
            command = read_log(plane, service)
            return failed(summary, remedy=remedy, command=command, at_fault=at_fault)
        summary = f"{endpoint.host} demands a client certificate of this machine."
        return suspected(summary, remedy=remedy)
    if isinstance(session, TlsSession):
        return passed(f"{endpoint.host} demands no client certificate.")
    return undecided(f"Whether {endpoint.host} demands a client certificate was not seen.")


def _named(page: HttpAnswer) -> bool:
    return _NGINX in page.title or "SSL certificate error" in page.title
