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
    if endpoint is None or endpoint.scheme != "https":
        return skipped(f"{service.name} is not told to use https.")
    where = address(endpoint)
    seen = session if isinstance(session, TlsSession) else None
    if seen is not None and seen.problem == "certificate-expired":
        return skipped("The certificate has expired; see certificate-expired.")
    wrong = _WORDS.get(seen.problem, "") if seen is not None else ""
    remedy = "Use a certificate that the pod trusts, or switch verification off."
    command = set_variable(plane, service, "HTTP_SSL_VERIFY=false")
    told = ongoing(logs, cause="tls_untrusted")
    if told:
        which = f", which {wrong}" if wrong else ""
        summary = f"{service.name} refuses the certificate of {where}{which}: {quoted(told[0])}."
        return failed(summary, remedy=remedy, command=command)
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
