"""Facts about the way to an endpoint, one per rung; subject: Endpoint, or a service inside."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure


class DnsAnswer(Record, frozen=True, kw_only=True, tag_field="kind", tag="DnsAnswer"):
    """A name that resolved (or a literal address, with ``literal`` set)."""

    name: str
    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()
    cnames: tuple[str, ...] = ()  # in the order they were followed
    canonical_name: str = ""  # the full name that answered, after the search list
    literal: bool = False
    resolver: str = ""
    tried: tuple[str, ...] = ()  # names tried before, from the search list, with their outcome
    ttl_s: int | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.ipv4 + self.ipv6


class TcpConnection(Record, frozen=True, kw_only=True, tag_field="kind", tag="TcpConnection"):
    """At least one address accepted a connection."""

    host: str
    port: int
    address: str
    connect_ms: float = 0.0
    failed: tuple[str, ...] = ()  # "192.0.2.7: connect-timeout" for addresses that did not


class Certificate(Record, frozen=True, kw_only=True):
    """One certificate of a chain (RFC 5280)."""

    subject: str
    issuer: str
    names: tuple[str, ...] = ()  # DNS names and addresses of the SAN extension
    not_before: datetime | None = None
    not_after: datetime | None = None
    self_signed: bool = False
    sha256: str = ""


class TlsSession(Record, frozen=True, kw_only=True, tag_field="kind", tag="TlsSession"):
    """A handshake that completed when nothing was verified, and what verifying it says.

    ``problem`` is the code of the first verification error (from OpenSSL's verify code, never from
    its text), "" when the certificate is fine for ``host``.
    """

    host: str
    protocol: str = ""
    cipher: str = ""
    chain: tuple[Certificate, ...] = ()
    problem: Literal[
        "", "certificate-expired", "certificate-not-yet-valid", "certificate-name-mismatch",
        "certificate-self-signed", "certificate-untrusted", "certificate-incomplete-chain",
        "certificate-invalid",
    ] = ""
    verify_code: int = 0
    problem_at: int | None = None  # place in ``chain`` of the certificate to blame, 0 = the leaf
    client_certificate_requested: bool = False


class HttpAnswer(Record, frozen=True, kw_only=True, tag_field="kind", tag="HttpAnswer"):
    """One answer, as far as it can be shown: never a token, never a whole page."""

    url: str
    method: str = "GET"
    status: int
    reason: str = ""
    server: str = ""  # Server header; "" when absent
    content_type: str = ""
    location: str = ""
    date: datetime | None = None
    body: Literal["empty", "json", "html", "text", "other"] = "empty"
    title: str = ""  # <title> of HTML, "message" of a JSON error; redacted, 200 characters at most
    size: int = 0
    elapsed_ms: float = 0.0
    redirects: tuple[str, ...] = ()  # "301 http://… -> https://…"
    via: str = ""  # Via, X-Envoy-Upstream-Service-Time and the like: which proxy spoke


class RouteAnswer(Record, frozen=True, kw_only=True):
    """One route of the gateway and what it answered."""

    route: Literal[
        "nginx-health", "swagger", "metadata", "auth", "registration", "project", "datastore",
        "resources", "plain-http", "post-registration",
    ]
    with_token: bool
    answer: HttpAnswer | Failure


class GatewayAnswers(Record, frozen=True, kw_only=True, tag_field="kind", tag="GatewayAnswers"):
    """What the routes behind one endpoint answered to the operator. Subject: the Endpoint.

    ``reached`` says who spoke: Keptn's gateway, something else over HTTP, or nobody.
    """

    reached: Literal["keptn", "other", "nobody"] = "nobody"
    keptn_version: str = ""
    routes: tuple[RouteAnswer, ...] = ()

    def answer(self, route: str, *, with_token: bool | None = None) -> HttpAnswer | Failure | None:
        """The answer of one route, None when it was not asked."""
        for item in self.routes:
            if item.route == route and with_token in (None, item.with_token):
                return item.answer
        return None


PathFact = DnsAnswer | TcpConnection | TlsSession | HttpAnswer | GatewayAnswers
