"""What is known of one cluster's credentials: gathered by the loader, then frozen.

Nothing here opens a connection; certificates and keys stay in memory.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.named_file import read_named
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_config import Entry
from keptn_doctor.probes.kube_plugin import Plugin, PluginCredential
from keptn_doctor.secret import Secret

_MAX_FILE = 1024 * 1024


class ClusterAccess(Record, frozen=True, kw_only=True):
    """All that is needed to talk to one API server; keys and tokens are held as secrets."""

    name: str  # of the target
    server: str  # "https://host:6443", without a trailing slash, perhaps with a path
    ca_pem: str = ""  # "" = the system's authorities
    certificate: str = ""  # client certificate, PEM
    key: Secret | None = None  # PEM
    authorization: Secret | None = None  # value of the header, scheme included
    impersonate: tuple[tuple[str, str], ...] = ()  # Impersonate-… headers
    tls_server_name: str = ""
    proxy_url: Secret | None = None  # may carry a password
    insecure: bool = False
    namespace: str = "default"
    user: str = ""  # name of the kubeconfig entry, not of the account
    expires_at: datetime | None = None  # of the token, when it says so


class FoundContext:
    """What the loader took out of one context, before it becomes a record."""

    def __init__(self, cluster: Entry, user: Entry | None, namespace: str) -> None:
        self.cluster, self.user, self.namespace = cluster, user, namespace
        self.server = ""
        self.ca_pem = self.certificate = ""
        self.key: Secret | None = None
        self.authorization: Secret | None = None
        self.plugin: Plugin | None = None
        self.expires_at: datetime | None = None

    @property
    def whose(self) -> str:
        return f'user "{self.user.name}" in {self.user.path}' if self.user else "the context"

    def adopt(self, credential: PluginCredential) -> None:
        """A plugin's certificate replaces one of the file; so does its token."""
        if credential.token:
            self.authorization = Secret(f"Bearer {credential.token.reveal()}")
        if credential.certificate:
            self.certificate, self.key = credential.certificate, credential.key
        self.expires_at = credential.expires_at

    def cluster_info(self) -> dict[str, Any]:
        """``spec.cluster`` for a plugin (client-go ``exec.go``: ConfigToExecCluster)."""
        body = self.cluster.body
        kept = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
        info = {key: body[key] for key in kept if body.get(key)}
        if self.ca_pem:
            info["certificate-authority-data"] = base64.b64encode(self.ca_pem.encode()).decode()
        for extension in body.get("extensions") or ():
            if extension.get("name") == "client.authentication.k8s.io/exec":
                info["config"] = extension.get("extension")
        return info

    def access(self, name: str, *, proxy: str) -> ClusterAccess:
        """The finished record; ``proxy`` is that of the environment, for want of a proxy-url."""
        body = self.cluster.body
        proxy = str(body.get("proxy-url") or proxy)
        return ClusterAccess(
            name=name,
            server=self.server,
            ca_pem=self.ca_pem,
            certificate=self.certificate,
            key=self.key,
            authorization=self.authorization,
            impersonate=_impersonation(self.user),
            tls_server_name=str(body.get("tls-server-name") or ""),
            proxy_url=Secret(proxy) if proxy else None,
            insecure=bool(body.get("insecure-skip-tls-verify")),
            namespace=self.namespace,
            user=self.user.name if self.user else "",
            expires_at=self.expires_at,
        )


def read_text(path: Path, what: str) -> str:
    """A small text file that a kubeconfig refers to; raises WorldFault that names it."""
    try:
        raw = read_named(path, most=_MAX_FILE + 1)
        if len(raw) > _MAX_FILE:
            raise unreadable(f"{what}: {path} is larger than {_MAX_FILE} bytes")
        return raw.decode()
    except OSError as error:
        raise unreadable(f"{what}: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise unreadable(f"{what}: {path} is not a text file") from error


def decode_base64(value: object, what: str) -> str:
    """The text of a ``…-data`` field; raises WorldFault that names the field."""
    try:
        return base64.b64decode(str(value), validate=False).decode()
    except (binascii.Error, ValueError) as error:
        raise unreadable(f"{what} is not base64 of a PEM text") from error


def jwt_expiry(token: str) -> datetime | None:
    """The ``exp`` of a token that is a JSON Web Token (RFC 7519), else None."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (ValueError, TypeError, KeyError, OverflowError, OSError, IndexError):
        return None


def unreadable(detail: str) -> WorldFault:
    """Credentials that cannot be used as they stand: raise what this returns."""
    return WorldFault(Failure(phase="auth", code="credentials-unreadable", detail=detail))


def expired(detail: str) -> WorldFault:
    """Credentials whose time is over: raise what this returns."""
    return WorldFault(Failure(phase="auth", code="credentials-expired", detail=detail))


def _impersonation(user: Entry | None) -> tuple[tuple[str, str], ...]:
    """The ``as`` fields, which kubectl honours and the kubernetes package ignores."""
    if user is None or not user.body.get("as"):
        return ()
    body = user.body
    headers = [("Impersonate-User", str(body["as"]))]
    if body.get("as-uid"):
        headers.append(("Impersonate-Uid", str(body["as-uid"])))
    headers += [("Impersonate-Group", str(group)) for group in body.get("as-groups") or ()]
    for key, values in (body.get("as-user-extra") or {}).items():
        headers += [(f"Impersonate-Extra-{key}", str(value)) for value in values or ()]
    return tuple(headers)
