"""The endpoint shows a certificate that an ingress controller makes for itself.

Meaning       The controller found no certificate for the host: the Secret is missing or in another
              namespace, or an ACME order has not come through (its staging authority signs
              certificates that nobody trusts).
Decided by    The subject or issuer of the certificate; the client's own refusal makes it a break.
What to do    Create the Secret that the Ingress names, in its namespace; see the certificate and
              its challenge when cert-manager is to do it.
False alarms  Clients from 0.13 on with a token do not verify; for them this is advice.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    Endpoint,
    ExposureRoutes,
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
    kubectl,
    meets_tls,
    ongoing,
    passed,
    quoted,
    skipped,
    suspected,
    undecided,
)

_DEFAULTS = (
    "Kubernetes Ingress Controller Fake Certificate",
    "TRAEFIK DEFAULT CERT",
    "(STAGING)",
    "Fake LE",
    "ingress-operator@",
)


@check(
    about=KeptnService,
    layer=Layer.TLS,
    breaks="disconnected",
    explains=("certificate-untrusted", "service-crash-looping"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    endpoint: Endpoint | None,
    session: TlsSession | None,
    routes: ExposureRoutes | None,
    logs: tuple[PodLog, ...] | None,
    local: LocalApiAnswer | None,
) -> Finding:
    """Whose certificate it is, and whether this client minds."""
    if endpoint is None or (session is None and endpoint.scheme != "https"):
        return skipped(f"{service.name} is not told to use https.")
    if session is None:
        return undecided(
            f"Which certificate {endpoint.host} shows was not seen.",
            missing=("a TLS session with the endpoint",),
        )
    if not meets_tls(endpoint, session):
        return skipped(f"{service.name} is not told to use https.")
    leaf = session.chain[0] if session.chain else None
    shown = f"{leaf.subject} {leaf.issuer}" if leaf else ""
    kind = next((name for name in _DEFAULTS if name in shown), "")
    if not kind:
        return passed(f"The certificate of {endpoint.host} is no default one.")
    secret = next(
        (
            r
            for r in (routes.routes if routes else ())
            if r.tls_secret and r.tls_secret_exists is False
        ),
        None,
    )
    why = f"; Secret {secret.namespace}/{secret.tls_secret} does not exist" if secret else ""
    where = f"{endpoint.host} shows the certificate “{leaf.subject if leaf else kind}”{why}"
    remedy = "Give the Ingress the certificate of its host, in a Secret of its own namespace."
    command = kubectl(
        control_plane,
        "get ingress,certificates,challenges,secrets",
        namespace=control_plane.namespace,
    )
    told = ongoing(logs, cause="tls_untrusted")
    if told:
        summary = f"{where}, and {service.name} refuses it: {quoted(told[0])}."
        at_fault = (f"certificate of {address(endpoint)}",)
        return failed(summary, remedy=remedy, command=command, at_fault=at_fault)
    if service.ssl_verify and service.behaviour.verifies_tls_on_poll and not answered(local):
        return suspected(f"{where}, and {service.name} verifies it.", remedy=remedy)
    return failed(
        f"{where}; {service.name} does not verify it and works all the same.",
        remedy=remedy,
        command=command,
        severity="info",
        breaks="nothing",
    )
