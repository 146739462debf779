"""Reads one kubeconfig context: its cluster, certificates, token and credential plugin.

These cover what kubeconfigs of today hold, and need no more than text. Basic auth and
auth-providers are left to ``kube_loader``, since its package takes longer to import than the first
look takes. Nothing is executed here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from keptn_doctor.probes.kube_access import (
    FoundContext,
    decode_base64,
    jwt_expiry,
    read_text,
    unreadable,
)
from keptn_doctor.probes.kube_config import Entry
from keptn_doctor.probes.kube_plugin import Plugin
from keptn_doctor.secret import Secret

_UNFIT = re.compile(r"[\s\x00-\x1f\x7f]")  # in a URL
_LEFT_OUT = ("auth-provider", "username", "password")


def is_plain(user: Entry | None) -> bool:
    """Whether ``read_context`` knows every way of authentication that the user's entry names."""
    return user is None or not any(user.body.get(key) for key in _LEFT_OUT)


def read_context(found: FoundContext) -> None:
    """Move all of a plain context into ``found``; raises WorldFault.

    The order is that of the ``kubernetes`` package: a token comes before a plugin.
    """
    try:
        read_cluster(found)
        if not read_token(found):
            read_plugin(found)
    except (TypeError, AttributeError) as error:
        raise unreadable(f"{found.whose}: {error}") from error


def read_cluster(found: FoundContext) -> None:
    """The server, its authorities, and the user's certificate; raises WorldFault."""
    entry, user = found.cluster, found.user
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
    if user is None:
        return
    found.certificate = _file_or_data(user, "client-certificate", found.whose)
    key = _file_or_data(user, "client-key", found.whose)
    if bool(found.certificate) != bool(key):
        missing = "client-key" if found.certificate else "client-certificate"
        raise unreadable(f"{found.whose} lacks the {missing} to its other half")
    found.key = Secret(key) if key else None


def read_token(found: FoundContext) -> bool:
    """The bearer token of the entry or its file, if there is one; raises WorldFault."""
    entry = found.user
    if entry is None:
        return False
    if entry.body.get("tokenFile"):  # client-go: the file takes precedence over the token
        token = read_text(Path(entry.path).parent / entry.body["tokenFile"], found.whose)
    else:
        token = str(entry.body.get("token") or "")
    if not token.strip():
        return False
    adopt_token(found, token.strip())
    return True


def adopt_token(found: FoundContext, token: str) -> None:
    """Send this token as a bearer token; raises WorldFault when no header may carry it."""
    if any(not 0x21 <= ord(c) <= 0x7E for c in token):
        raise unreadable(f"{found.whose}: its token holds a blank or control character")
    found.authorization = Secret(f"Bearer {token}")
    found.expires_at = jwt_expiry(token)


def read_plugin(found: FoundContext) -> bool:
    """The credential plugin to run, if there is one; raises WorldFault."""
    entry = found.user
    section = entry.body.get("exec") if entry else None
    if not section or entry is None:
        return False
    if not section.get("command"):
        raise unreadable(f"{found.whose}: its exec section has no command")
    found.plugin = Plugin(
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
