"""What a look through a service's own path says of the rungs below the answer."""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import LocalApiAnswer, PodLog, SdkHealth
from keptn_doctor.model.path_facts import HttpAnswer, TlsSession
from keptn_doctor.model.topology import Endpoint
from keptn_doctor.reading.log import ongoing


def answered(local: LocalApiAnswer | None) -> bool:
    """Somebody answered the service's own request: name, connection and TLS work for it."""
    if local is None:
        return False
    poll = local.poll
    polled = isinstance(poll, HttpAnswer) and bool(poll.server or poll.body != "empty")
    return local.origin != "distributor" or polled


def keptn_answered(local: LocalApiAnswer | None) -> bool:
    """Keptn itself answered the service's own request, be it with a refusal of the token.

    A page of nginx may be an ingress controller's, but for 401 it is the gateway's up to 0.18.
    """
    if local is None:
        return False
    return local.origin == "keptn" or (
        local.origin == "gateway" and local.registration.status == 401
    )


def registered(health: SdkHealth | None) -> bool:
    """An SDK service that has registered since it started: its way was open then.

    It does not say so of this moment, so what its log tells comes first.
    """
    return health is not None and health.status == 200


def gets_through(
    local: LocalApiAnswer | None, health: SdkHealth | None, logs: Iterable[PodLog] | None
) -> bool:
    """The service is seen to be answered, so nothing on its way down to HTTP keeps it back.

    Objects in a cluster (policies, firewalls' settings) say what should be; this says what is.
    """
    return answered(local) or (registered(health) and not ongoing(logs))


def meets_tls(endpoint: Endpoint, session: TlsSession | Failure | None) -> bool:
    """An endpoint whose clients meet a certificate: by https, or redirected to it."""
    return endpoint.scheme == "https" or isinstance(session, TlsSession)


def address(endpoint: Endpoint) -> str:
    """Where an endpoint is called: "keptn.example.com:443"."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{host}:{endpoint.port}"


def no_proxy_names(no_proxy: str, host: str) -> bool:
    """Whether a client with this NO_PROXY calls a host directly.

    As Go reads it (golang.org/x/net/http/httpproxy): a domain stands for its subdomains as well.
    """
    for entry in (part.strip().lower() for part in no_proxy.split(",")):
        domain = entry.removeprefix("*").removeprefix(".")
        if entry == "*" or (domain and (host == domain or host.endswith(f".{domain}"))):
            return True
    return False
