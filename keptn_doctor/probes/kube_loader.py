"""The ``kubernetes`` package's kubeconfig loader, with the steps replaced that hide or leak.

Imported by ``kube_credentials`` only, and only when a cluster is touched: the package takes 0.7 s.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kubernetes.config import ConfigException
from kubernetes.config.kube_config import ConfigNode, KubeConfigLoader

from keptn_doctor.probes.kube_access import (
    FoundContext,
    decode_base64,
    expired,
    jwt_expiry,
    read_text,
    unreadable,
)
from keptn_doctor.probes.kube_config import Entry
from keptn_doctor.probes.kube_plugin import Plugin
from keptn_doctor.secret import Secret

_UNFIT = re.compile(r"[\s\x00-\x1f\x7f]")  # in a URL
_LEGACY = {
    "gcp": "install gke-gcloud-auth-plugin and run gcloud container clusters get-credentials",
    "azure": "run kubelogin convert-kubeconfig",
}


class ContextLoader(KubeConfigLoader):
    """Reads one context into memory; the order of methods is the package's own."""

    def __init__(
        self, context: Entry, cluster: Entry, user: Entry | None, *, now: datetime
    ) -> None:
        self._now = now
        self._cluster_entry, self._user_entry = cluster, user
        self._user_body = user.body if user else {}
        document = {
            "current-context": context.name,
            "contexts": [_node("context", context)],
            "clusters": [_node("cluster", cluster)],
            "users": [_node("user", user)] if user else [],
        }
        super().__init__(ConfigNode("kubeconfig", document), config_base_path=None)

    def fill(self, found: FoundContext) -> None:
        """Move everything into ``found``; raises WorldFault."""
        self._found = found
        try:
            self._load_cluster_info()
            self._load_authentication()
        except (ConfigException, TypeError, AttributeError) as error:
            raise unreadable(f"{found.whose}: {error}") from error

    def _load_cluster_info(self) -> None:
        entry, found = self._cluster_entry, self._found
        body, where = entry.body, f'cluster "{entry.name}" in {entry.path}'
        found.server = _server(body, where)
        if not _is_name(str(body.get("tls-server-name") or "")):
            raise unreadable(f"{where}: its tls-server-name is no host name")
        found.ca_pem = _file_or_data(entry, "certificate-authority", where)
        if found.ca_pem and body.get("insecure-skip-tls-verify"):
            raise unreadable(
                f"{where} has both a certificate-authority and insecure-skip-tls-verify: "
                "kubectl refuses that too, take one away"
            )
        if self._user_entry is None:
            return
        user = self._user_entry
        found.certificate = _file_or_data(user, "client-certificate", found.whose)
        key = _file_or_data(user, "client-key", found.whose)
        if bool(found.certificate) != bool(key):
            missing = "client-key" if found.certificate else "client-certificate"
            raise unreadable(f"{found.whose} lacks the {missing} to its other half")
        found.key = Secret(key) if key else None

    def _load_auth_provider_token(self) -> str | None:
        provider = self._user_body.get("auth-provider")
        if not provider:
            return None
        name = str(provider.get("name") or "")
        if name != "oidc":
            advice = _LEGACY.get(name, "use a credential plugin (exec) or a token")
            raise unreadable(
                f'{self._found.whose} uses the auth-provider "{name}", which Kubernetes removed '
                f"in 1.26: {advice}"
            )
        token = str((provider.get("config") or {}).get("id-token") or "").strip()
        if not token:
            raise unreadable(f"{self._found.whose}: its auth-provider oidc holds no id-token")
        expires_at = jwt_expiry(token)
        if expires_at is not None and expires_at <= self._now:
            raise expired(
                f"{self._found.whose}: the id-token expired at {expires_at:%Y-%m-%d %H:%M} UTC; "
                "any kubectl command refreshes it"
            )
        return self._bearer(token)

    def _load_user_token(self) -> str | None:
        body, entry = self._user_body, self._user_entry
        assert entry is not None
        if body.get("tokenFile"):  # client-go: the file takes precedence over the token
            token = read_text(Path(entry.path).parent / body["tokenFile"], self._found.whose)
        else:
            token = str(body.get("token") or "")
        return self._bearer(token.strip()) if token.strip() else None

    def _load_from_exec_plugin(self) -> bool:
        section, entry = self._user_body.get("exec"), self._user_entry
        if not section or entry is None:
            return False
        if not section.get("command"):
            raise unreadable(f"{self._found.whose}: its exec section has no command")
        self._found.plugin = Plugin(
            command=str(section["command"]),
            args=tuple(str(a) for a in section.get("args") or ()),
            env=tuple((str(v["name"]), str(v["value"])) for v in section.get("env") or ()),
            api_version=str(section.get("apiVersion") or ""),
            install_hint=str(section.get("installHint") or ""),
            interactive_mode=str(section.get("interactiveMode") or "IfAvailable"),
            provide_cluster_info=bool(section.get("provideClusterInfo")),
            base_path=str(Path(entry.path).parent),
        )
        return True

    def _load_user_pass_token(self) -> None:
        super()._load_user_pass_token()
        if "token" in self.__dict__:
            self._found.authorization = Secret(self.token)

    def _bearer(self, token: str) -> str:
        if any(not 0x21 <= ord(c) <= 0x7E for c in token):
            raise unreadable(f"{self._found.whose}: its token holds a blank or control character")
        self._found.authorization = Secret(f"Bearer {token}")
        self._found.expires_at = jwt_expiry(token)
        return token


def _node(kind: str, entry: Entry) -> ConfigNode:
    return ConfigNode(entry.name, {"name": entry.name, kind: entry.body}, entry.path)


def _server(body: dict[str, Any], where: str) -> str:
    server = str(body.get("server") or "").strip().rstrip("/")
    if not server:
        raise unreadable(f"{where} has no server")
    if "://" not in server:  # client-go DefaultServerURL: https when TLS is spoken of
        tls = any(key.startswith(("certificate-", "insecure-", "tls-")) for key in body)
        server = f"{'https' if tls else 'http'}://{server}"
    try:
        parts = urlsplit(server)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if "@" in server:
        raise unreadable(f"{where}: its server holds a user; put it into the user's entry")
    if not usable or _UNFIT.search(server) or not _is_name(parts.hostname or ""):
        raise unreadable(f"{where}: its server {server} is no http or https URL")
    return server


def _is_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _file_or_data(entry: Entry, key: str, where: str) -> str:
    if entry.body.get(f"{key}-data"):  # client-go: the data takes precedence over the file
        return decode_base64(entry.body[f"{key}-data"], f"{key}-data of {where}")
    if entry.body.get(key):
        return read_text(Path(entry.path).parent / str(entry.body[key]), f"{key} of {where}")
    return ""
