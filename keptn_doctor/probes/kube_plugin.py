"""Runs an exec credential plugin of a kubeconfig, with a time limit and an honest outcome.

Both loaders of the ``kubernetes`` package swallow a failing plugin and go on anonymously, so the
user sees a misleading 401. Here every way to fail has its own code, and what the plugin wrote to
stderr is shown, redacted and cut. A plugin gets no terminal: one that wants to ask a question
fails instead of hanging.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.secret import Secret

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_MAX_OUTPUT = 1024 * 1024
_SHOWN = 300
_SECRET_LIKE = re.compile(
    r"eyJ[\w-]+\.[\w-]+(\.[\w-]*)?"  # JSON Web Token
    r"|(?i:(?<=bearer )|(?<=token[=: ])|(?<=password[=: ])|(?<=secret[=: ])"
    r"|(?<=token\"[=:])|(?<=password\"[=:])|(?<=secret\"[=:]))\s*\S+"
    r"|-----BEGIN[^-]*-----.*"
    r"|[A-Za-z0-9+/_=-]{32,}"
)


class Plugin(Record, frozen=True, kw_only=True):
    """The ``exec`` section of a kubeconfig user, checked."""

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    api_version: str
    install_hint: str = ""
    interactive_mode: str = "IfAvailable"
    provide_cluster_info: bool = False
    base_path: str = ""  # of the kubeconfig file: a command with a slash is relative to it


class PluginCredential(Record, frozen=True, kw_only=True):
    """What a plugin gave: a token, or a certificate with its key, or both."""

    token: Secret | None = None
    certificate: str = ""  # PEM
    key: Secret | None = None  # PEM
    expires_at: datetime | None = None


class _Status(msgspec.Struct, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: datetime | None = None


class _ExecCredential(msgspec.Struct, rename="camel"):
    api_version: str | None = None
    kind: str | None = None
    status: _Status | None = None


async def run_plugin(
    plugin: Plugin,
    *,
    cluster: Mapping[str, Any],
    environ: Mapping[str, str],
    deadline_s: float,
    now: datetime,
) -> PluginCredential:
    """Run the plugin once and check what it says.

    ``cluster`` is the ``spec.cluster`` that it is told about when it asks to be.

    Raises:
        WorldFault: phase auth; a code ``credential-plugin-*`` or ``credentials-expired``.
    """
    if plugin.api_version not in _VERSIONS:
        raise _fault(
            "credential-plugin-failed",
            f"{plugin.command}: the kubeconfig asks for {plugin.api_version or 'no apiVersion'}; "
            f"supported are {' and '.join(_VERSIONS)}",
        )
    if plugin.interactive_mode == "Always":
        raise _fault(
            "credential-plugin-failed",
            f"{plugin.command} insists on a terminal (interactiveMode: Always)",
        )
    if any("\0" in text for text in (plugin.command, *plugin.args, *sum(plugin.env, ()))):
        raise _fault("credential-plugin-failed", "its exec section holds a NUL character")
    told = {**environ, **dict(plugin.env), "KUBERNETES_EXEC_INFO": _exec_info(plugin, cluster)}
    command = _find(plugin, told)
    code, output, errors = await _run([command, *plugin.args], told, plugin, deadline_s)
    if code != 0:
        how = f"exited with {code}" if code > 0 else f"was killed by signal {-code}"
        raise _fault("credential-plugin-failed", f"{plugin.command} {how}{_shown(errors)}")
    return _checked(plugin, output, errors, now)


def _exec_info(plugin: Plugin, cluster: Mapping[str, Any]) -> str:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.provide_cluster_info:
        spec["cluster"] = dict(cluster)
    info = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    return json.dumps(info, default=str)  # YAML has dates, JSON has none


def _find(plugin: Plugin, environ: Mapping[str, str]) -> str:
    name = plugin.command
    if os.sep in name:
        name = str(Path(plugin.base_path) / name)
    found = shutil.which(name, path=environ.get("PATH"))
    if found is None:
        hint = f"; {_one_line(plugin.install_hint)}" if plugin.install_hint else ""
        raise _fault(
            "credential-plugin-missing",
            f"the kubeconfig's credential plugin {plugin.command} was not found{hint}",
        )
    return found


async def _run(
    argv: list[str], environ: Mapping[str, str], plugin: Plugin, deadline_s: float
) -> tuple[int, bytes, bytes]:
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=dict(environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # a group of its own, so that its children die with it
        )
    except OSError as error:
        raise _fault(
            "credential-plugin-failed", f"{plugin.command} cannot be run: {error.strerror}"
        ) from error
    assert process.stdout is not None
    assert process.stderr is not None
    errors = bytearray()
    finished = False
    try:
        async with asyncio.timeout(deadline_s):
            output, _ = await asyncio.gather(
                _read(process.stdout, bytearray()), _read(process.stderr, errors)
            )
            code = await process.wait()
        finished = True  # what it left running (an agent, say) is its own affair
    except TimeoutError as error:
        raise _fault(
            "credential-plugin-timeout",
            f"{plugin.command} did not finish in {deadline_s:g} s{_shown(bytes(errors))}",
        ) from error
    finally:
        if not finished:
            await _end(process)
    return code, bytes(output), bytes(errors)


async def _read(stream: asyncio.StreamReader, kept: bytearray) -> bytearray:
    """Read to the end, keep the first MiB: a plugin that never stops talking is cut off."""
    while chunk := await stream.read(65536):
        kept += chunk[: _MAX_OUTPUT - len(kept)]
    return kept


async def _end(process: asyncio.subprocess.Process) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # gone, with all its children
    except PermissionError:
        pass  # macOS: only zombies are left in the group
    await process.wait()
    transport = getattr(process, "_transport", None)  # a grandchild may hold the pipes open
    if transport is not None:
        transport.close()


def _checked(plugin: Plugin, output: bytes, errors: bytes, now: datetime) -> PluginCredential:
    def bad(what: str) -> WorldFault:
        return _fault("credential-plugin-failed", f"{plugin.command} {what}{_shown(errors)}")

    try:
        credential = msgspec.json.decode(output, type=_ExecCredential)
    except msgspec.ValidationError as error:
        raise bad("printed something that is no ExecCredential") from error
    except msgspec.DecodeError as error:
        what = "printed nothing" if not output.strip() else "printed something that is not JSON"
        raise bad(what) from error
    if credential.kind != "ExecCredential" or credential.api_version != plugin.api_version:
        raise bad(f"did not print an ExecCredential of {plugin.api_version}")
    status = credential.status or _Status()
    token = (status.token or "").strip()
    certificate, key = status.client_certificate_data or "", status.client_key_data or ""
    if any(not 0x21 <= ord(c) <= 0x7E for c in token):
        raise bad("gave a token that holds a blank or control character")
    if not token and not certificate:
        raise bad("gave neither a token nor a certificate")
    if bool(certificate) != bool(key):
        raise bad("gave a certificate without its key" if certificate else "gave a key alone")
    expires_at = status.expiration_timestamp
    if expires_at is not None and expires_at.tzinfo is None:
        raise bad("gave an expirationTimestamp without a zone")
    if expires_at is not None and expires_at <= now:
        raise _fault(
            "credentials-expired",
            f"{plugin.command} gave credentials that expired at {expires_at:%Y-%m-%d %H:%M:%S %Z}"
            ": log in again",
        )
    return PluginCredential(
        token=Secret(token) if token else None,
        certificate=certificate,
        key=Secret(key) if key else None,
        expires_at=expires_at,
    )


def _shown(errors: bytes) -> str:
    text = _one_line(errors.decode(errors="replace"))
    return f"; it said: {text}" if text else ""


def _one_line(text: str) -> str:
    """The end of a text on one line, without what looks like a secret or moves a terminal."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    printable = "".join(c for c in " / ".join(lines[-5:]) if c.isprintable())
    hidden = _SECRET_LIKE.sub("[hidden]", printable)
    return hidden if len(hidden) <= _SHOWN else "…" + hidden[-_SHOWN:]


_PluginCode = Literal[
    "credential-plugin-failed",
    "credential-plugin-missing",
    "credential-plugin-timeout",
    "credentials-expired",
]


def _fault(code: _PluginCode, detail: str) -> WorldFault:
    return WorldFault(Failure(phase="auth", code=code, detail=detail))
