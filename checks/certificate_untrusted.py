"""The client refuses the certificate of the endpoint.

Meaning       The certificate is self-signed, of an unknown authority, lacks an intermediate or is
              made out for another name, and the client verifies it.
Decided by    The client's own x509 errors, together with what is wrong with the certificate; or
              that alone with a client that verifies, as a suspicion.
What to do    Use a certificate that the pod's CA bundle knows, or set HTTP_SSL_VERIFY=false (Helm:
              remoteControlPlane.api.apiValidateTls=false); there is no setting for an own CA.
False alarms  Clients from 0.13 on with a token never verify, whatever HTTP_SSL_VERIFY says: for
              them a self-signed certificate is never the cause.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
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
    set_variable,
    skipped,
    suspected,
    undecided,
)

_WORDS = {
    "certificate-self-signed": "is self-signed",
    "certificate-untrusted": "is of an authority that is not trusted",
    "certificate-incomplete-chain": "comes without its intermediate certificate",
    "certificate-name-mismatch": "is made out for another name",
    "certificate-not-yet-valid": "is not valid yet",
    "certificate-invalid": "is not valid",
}

_BELOW_TLS = ("dns", "tcp_refused", "tcp_timeout", "tcp_reset", "egress_proxy", "wrong_scheme")


@check(about=KeptnService, layer=Layer.TLS, breaks="disconnected", since="0.1")
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    plane: ExecutionPlane | None,
    session: TlsSession | Failure | None,
    logs: tuple[PodLog, ...] | None,
    local: LocalApiAnswer | None,
) -> Finding:
    """The client's refusal proves it, by whatever the certificate looks like from here."""
    if endpoint is None or not meets_tls(endpoint, session):
        return skipped(f"{service.name} is not told to use https.")
    where = address(endpoint)
    seen = session if isinstance(session, TlsSession) else None
    if seen is not None and seen.problem == "certificate-expired":
        return skipped("The certificate has expired; see certificate-expired.")
    wrong = _WORDS.get(seen.problem, "") if seen is not None else ""
    remedy = f"Use a certificate that the pod trusts, or switch verification off{_trap(service)}."
    command = set_variable(plane, service, "HTTP_SSL_VERIFY=false")
    at_fault = (f"certificate of {where}",) if wrong else ()  # as it is shown to everybody
    told = ongoing(logs, cause="tls_untrusted")
    if told:
        which = f", which {wrong}" if wrong else ""
        summary = f"{service.name} refuses the certificate of {where}{which}: {quoted(told[0])}."
        return failed(summary, remedy=remedy, command=command, at_fault=at_fault)
    if wrong and _stops_there(service, local, logs):
        summary = (
            f"The certificate of {where} {wrong}, {service.name} verifies it, and its own requests "
            "do not get through."
        )
        return failed(summary, remedy=remedy, command=command, at_fault=at_fault)
    if answered(local):
        return passed(f"{service.name} gets answers from {where}.")
    if seen is None:
        return undecided(f"The certificate of {where} could not be seen.")
    if not wrong:
        return passed(f"The certificate of {where} is trusted.")
    if not (service.ssl_verify and service.behaviour.verifies_tls_on_poll):
        return passed(f"The certificate {wrong}, and {service.name} does not verify it.")
    summary = (
        f"The certificate of {where} {wrong}, and {service.name} is of a version that verifies it."
    )
    return suspected(summary, remedy=remedy, command=command)


def _stops_there(
    service: KeptnService, local: LocalApiAnswer | None, logs: tuple[PodLog, ...] | None
) -> bool:
    """Its own request reached nobody, it verifies, and nothing below TLS is in the way."""
    verifies = service.ssl_verify and service.behaviour.verifies_tls_on_poll
    unreached = local is not None and not answered(local)
    return verifies and unreached and not ongoing(logs, cause=_BELOW_TLS)


def _trap(service: KeptnService) -> str:
    """Its chart turns false into true: ``default "true"`` (deployment.yaml@0.1.5 to 0.3.0)."""
    if "job-executor-service" not in (service.name, service.service_container):
        return ""
    return " in its Deployment (its chart up to 0.3.0 ignores apiValidateTls=false)"
