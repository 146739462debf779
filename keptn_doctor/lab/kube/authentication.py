"""Who sends a request: a bearer token, else the client certificate, else nobody in particular."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from keptn_doctor.lab.kube.cluster import Cluster
from keptn_doctor.lab.kube.status import unauthorized
from keptn_doctor.lab.kube.users import ANONYMOUS, User

_AUTHENTICATED = "system:authenticated"


def authenticate(cluster: Cluster, request: web.BaseRequest) -> User:
    """The user of a request; raises the 401 for a credential that is unknown or expired.

    As in a real server the token counts before the certificate, a scheme other than Bearer is
    no credential at all, and without any the request is anonymous (unless that is switched off).
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() == "bearer" and token:
        return _known(cluster, cluster.users.get(token))
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport is not None else None
    if certificate:
        return _from_certificate(cluster, certificate)
    if not cluster.anonymous:
        raise unauthorized()
    return ANONYMOUS


def _known(cluster: Cluster, user: User | None) -> User:
    if user is None or (user.expires is not None and user.expires <= cluster.now()):
        raise unauthorized()
    if _AUTHENTICATED in user.groups:
        return user
    groups = (*user.groups, _AUTHENTICATED)
    return User(name=user.name, groups=groups, rules=user.rules, expires=user.expires)


def _from_certificate(cluster: Cluster, certificate: dict[str, Any]) -> User:
    """CN is the user, each O a group; the dates are held against the cluster's clock.

    The handshake of ``server_context`` lets an expired certificate through, because a real API
    server answers it with 401 and not with a TLS alert.
    """
    subject = [pair for part in certificate.get("subject", ()) for pair in part]
    names = [value for key, value in subject if key == "commonName"]
    now = cluster.now()
    if not names or not _date(certificate, "notBefore") <= now < _date(certificate, "notAfter"):
        raise unauthorized()
    groups = tuple(value for key, value in subject if key == "organizationName")
    known = cluster.user_named(names[0])
    user = User(
        name=names[0],
        groups=groups if known is None else (*groups, *known.groups),
        rules=() if known is None else known.rules,
        expires=None if known is None else known.expires,
    )
    return _known(cluster, user)


def _date(certificate: dict[str, Any], field: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate[field]), UTC)
