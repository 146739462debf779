"""The operator's kubeconfig: one context per cluster, with whatever is wrong with it.

Tokens and certificates are made when the lab starts and are worth nothing outside it.
"""

from __future__ import annotations

import base64
import secrets
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from keptn_doctor.lab.client_certificates import client_pair
from keptn_doctor.lab.kube import User
from keptn_doctor.lab.levers import ContextLevers, OperatorLevers
from keptn_doctor.lab.rights import rules_of
from keptn_doctor.model.base import Record

_USER = "operator"
_PLUGIN = """import json, sys, time
how = {how!r}
if how == "plugin-fails":
    sys.exit("could not refresh the session: run the login command of your company")
if how == "plugin-hangs":
    time.sleep(3600)
if how == "plugin-prints-garbage":
    print("Welcome!")
    sys.exit()
print(json.dumps({{
    "apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential",
    "status": {{"token": {token!r}}},
}}))
"""


class Server(Record, frozen=True, kw_only=True):
    """Where a cluster's API is, and where one would look for it in vain."""

    url: str
    ca_pem: str
    silent_url: str = ""
    refusing_url: str = ""


class Access(Record, frozen=True, kw_only=True):
    """One context: its cluster's token map entry and its kubeconfig entries."""

    context: str
    token: str
    user: User | None  # None: the cluster does not know the credential
    entries: dict[str, Any]


def access(
    context: str,
    levers: ContextLevers,
    server: Server,
    *,
    folder: Path,
    now: datetime,
    other_ca: str,
) -> Access:
    """Make a context's user and entries; files it needs go into ``folder``."""
    token = secrets.token_urlsafe(24)
    name = f"{_USER}@{context}"
    expired = levers.credentials == "expired"
    user = User(
        name=name, rules=rules_of(levers), expires=now - timedelta(hours=1) if expired else None
    )
    known = levers.credentials not in {"revoked", "none"}
    cluster = _cluster(levers, server, other_ca)
    entry = _user(levers, token, context=context, name=name, folder=folder, now=now)
    return Access(
        context=context,
        token=token,
        user=user if known else None,
        entries={
            "cluster": {"name": context, "cluster": cluster},
            "user": {"name": name, "user": entry},
            "context": {"name": context, "context": {"cluster": context, "user": name}},
        },
    )


def _cluster(levers: ContextLevers, server: Server, other_ca: str) -> dict[str, Any]:
    url, ca = server.url, server.ca_pem
    if levers.server == "unreachable":
        url = server.silent_url
    elif levers.server == "refused":
        url = server.refusing_url
    elif levers.server == "unknown-host":
        url = "https://api.gone.invalid:6443"
    elif levers.server == "other-ca":
        ca = other_ca
    made = {
        "server": url,
        "certificate-authority-data": base64.b64encode(ca.encode()).decode(),
    }
    if levers.server == "wrong-name":
        made["tls-server-name"] = "kubernetes.other.example"
    return made


def _user(
    levers: ContextLevers, token: str, *, context: str, name: str, folder: Path, now: datetime
) -> dict[str, Any]:
    how = levers.credentials
    if how == "none":
        return {}
    if how.startswith("client-certificate"):
        pair = client_pair(name, now=now, expired=how.endswith("expired"))
        certificate, key = (base64.b64encode(part).decode() for part in pair)
        return {"client-certificate-data": certificate, "client-key-data": key}
    if how.startswith("plugin"):
        return {"exec": _plugin(how, token, folder / f"{context}-credential.py")}
    if how.startswith("token-file"):
        path = folder / f"{context}-token"
        if how == "token-file":
            path.write_text(token + "\n")
        return {"tokenFile": str(path)}
    return {"token": f" {token}\n" if how == "blank-padded" else token}


def _plugin(how: str, token: str, path: Path) -> dict[str, Any]:
    path.write_text(_PLUGIN.format(how=how, token=token))
    missing = how == "plugin-missing"
    command = "keptn-lab-credential-helper-not-installed" if missing else sys.executable
    return {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": command,
        "args": [str(path)],
        "interactiveMode": "Never",
        "installHint": "install the credential helper of your company",
    }


def write_kubeconfig(
    path: Path, accesses: tuple[Access, ...], operator: OperatorLevers, current: str
) -> None:
    """Write the file, or leave it out, as the scenario has it."""
    if operator.kubeconfig == "missing":
        return
    if operator.kubeconfig == "empty":
        path.write_text("")
        return
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "current-context": current,
        "clusters": [a.entries["cluster"] for a in accesses],
        "users": [a.entries["user"] for a in accesses],
        "contexts": [a.entries["context"] for a in accesses],
    }
    by_context = {a.context: a for a in accesses}
    for index, row in enumerate(document["contexts"]):
        other = operator.contexts.get(row["name"], ContextLevers()).points_to
        if other in by_context:
            document["contexts"][index] = {
                **row, "context": {**row["context"], "cluster": other}
            }  # fmt: skip
    if operator.kubeconfig == "dangling-user":
        document["users"] = []
    text = yaml.safe_dump(document, sort_keys=False)
    if operator.kubeconfig == "malformed":
        text = text.replace("clusters:", "clusters: [", 1)
    path.touch(mode=0o600)
    path.write_text(text)
