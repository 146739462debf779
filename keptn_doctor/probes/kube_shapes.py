"""What the entries of a kubeconfig may look like; checked before anything is taken out of them.

Only fields that are used are named, others may hold anything. Source: client-go
``tools/clientcmd/api/v1/types.go``.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_access import unreadable
from keptn_doctor.probes.kube_config import Entry


class _Kebab(msgspec.Struct, rename="kebab"):
    """Most fields are written with dashes."""


class _Extension(msgspec.Struct):
    name: str | None = None
    extension: Any = None


class Context(_Kebab):
    """``contexts[].context``."""

    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None


class Cluster(_Kebab):
    """``clusters[].cluster``."""

    server: str | None = None
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    tls_server_name: str | None = None
    proxy_url: str | None = None
    insecure_skip_tls_verify: bool | None = None
    extensions: list[_Extension] | None = None


class _Variable(msgspec.Struct):
    name: str
    value: str


class _Exec(msgspec.Struct, rename="camel"):
    command: str | None = None
    args: list[str] | None = None
    env: list[_Variable] | None = None
    api_version: str | None = None
    install_hint: str | None = None
    interactive_mode: str | None = None
    provide_cluster_info: bool | None = None


class _AuthProvider(msgspec.Struct):
    name: str | None = None
    config: dict[str, str | None] | None = None


class User(_Kebab):
    """``users[].user``."""

    token: str | None = None
    token_file: str | None = msgspec.field(default=None, name="tokenFile")
    username: str | None = None
    password: str | None = None
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    impersonated: str | None = msgspec.field(default=None, name="as")
    as_uid: str | None = None
    as_groups: list[str] | None = None
    as_user_extra: dict[str, list[str] | None] | None = None
    exec: _Exec | None = None
    auth_provider: _AuthProvider | None = None


_EXPECTED = re.compile(r"Expected `(.*)`, got `(.*)`")
_WORDS = {
    "str": "text",
    "int": "a number",
    "float": "a number",
    "array": "a list",
    "object": "a mapping of fields",
    "bool": "true or false",
    "null": "nothing",
}


def check_shape(entry: Entry, kind: type[Context | Cluster | User]) -> None:
    """Raise WorldFault credentials-unreadable, with the field, for an entry of another shape."""
    try:
        msgspec.convert(entry.body, kind)
    except msgspec.ValidationError as error:
        raise _misshapen(entry, kind, str(error)) from error


def _misshapen(entry: Entry, kind: type, message: str) -> WorldFault:
    what, _, where = message.partition(" - at `$.")
    field = where.rstrip("`") or "it"
    name = f'{kind.__name__.lower()} "{entry.name}" in {entry.path}'
    if mismatch := _EXPECTED.fullmatch(what):
        wanted, got = (_WORDS.get(word.removesuffix(" | null"), word) for word in mismatch.groups())
        what = f"must be {wanted}, not {got}"
    return unreadable(f"{name}: {field} {what.replace('`', '')}")
