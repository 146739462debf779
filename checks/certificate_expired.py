"""The certificate of the endpoint has expired, and the client verifies it.

Meaning       The client refuses the certificate, so what it verifies (polls and results up to
              distributor 0.12, everything with OAuth) fails, while heartbeats of old distributors
              go on: the service looks registered and hears nothing.
Decided by    The client's own x509 errors together with the dates of the certificate; or the dates
              alone with a client that verifies, as a suspicion.
What to do    Renew the certificate at the ingress or load balancer.
False alarms  Clients from 0.13 on with a token never verify certificates, so for them an expired
              one is only advice; the same with HTTP_SSL_VERIFY=false.
"""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.api import (
    Certificate,
    Endpoint,
    Failure,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    TlsSession,
    address,
    answered,
    check,
    failed,
    meets_tls,
    ongoing,
    passed,
    quoted,
    skipped,
    suspected,
    undecided,
)


@check(about=KeptnService, layer=Layer.TLS, breaks="disconnected", since="0.1")
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    session: TlsSession | Failure | None,
    logs: tuple[PodLog, ...] | None,
    local: LocalApiAnswer | None,
    taken_at: datetime,
) -> Finding:
    """The certificate is the same for everybody; whether it matters depends on the client."""
    if endpoint is None or not meets_tls(endpoint, session):
        return skipped(f"{service.name} is not told to use https.")
    where = address(endpoint)
    if not isinstance(session, TlsSession):
        return undecided(f"The certificate of {where} could not be seen.")
    if session.problem != "certificate-expired":
        return passed(f"The certificate of {where} has not expired.")
    leaf = session.chain[0] if session.chain else None
    expired = f"The certificate of {where} expired{_when(leaf, taken_at)}"
    remedy = "Renew the certificate where TLS ends: the Ingress's secret or the load balancer."
    if not (service.ssl_verify and service.behaviour.verifies_tls_on_poll):
        return failed(
            f"{expired}; {service.name} does not verify it and works all the same.",
            remedy=remedy,
            severity="info",
            breaks="nothing",
        )
    told = ongoing(logs, cause="tls_untrusted")
    if told:
        summary = f"{expired}, and {service.name} refuses it: {quoted(told[0])}."
        return failed(summary, remedy=remedy, at_fault=(f"certificate of {where}",))
    if answered(local):
        return passed(f"{expired}, yet {service.name} gets answers.")
    summary = f"{expired}, and {service.name} is of a version that verifies it."
    return suspected(summary, remedy=remedy)


def _when(leaf: Certificate | None, taken_at: datetime) -> str:
    if leaf is None or leaf.not_after is None:
        return ""
    days = (taken_at - leaf.not_after).days
    return f" {days} days ago, on {leaf.not_after:%Y-%m-%d}"
