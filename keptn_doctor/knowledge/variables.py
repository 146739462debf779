"""The typed environment variables of Keptn's clients: which values stop the process at start.

Both clients read their environment with kelseyhightower/envconfig v1.4.0, which fails on a typed
variable that is set but empty or malformed ("Failed to process env var").
Source: ``distributor/pkg/config/envconfig.go`` at every tag, ``go-utils
pkg/sdk/internal/config/config.go@v0.20.4``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from keptn_doctor.knowledge.versions import Version

Kind = Literal["bool", "int", "duration"]

_DISTRIBUTOR: dict[str, tuple[Kind, str]] = {  # kind, and the release that first read it
    "HTTP_SSL_VERIFY": ("bool", "0.8.3"),
    "API_PROXY_PORT": ("int", "0.8.3"),
    "DISABLE_REGISTRATION": ("bool", "0.8.4"),
    "REGISTRATION_INTERVAL": ("duration", "0.8.4"),
    "MAX_HEARTBEAT_RETRIES": ("int", "0.14.0"),
    "HEARTBEAT_INTERVAL": ("duration", "0.14.0"),
    "MAX_REGISTRATION_RETRIES": ("int", "0.14.0"),
    "API_PROXY_MAX_PAYLOAD_BYTES_KB": ("int", "0.17.0"),
}
_SDK: dict[str, tuple[Kind, str]] = {
    "HTTP_SSL_VERIFY": ("bool", ""),
    "HEALTH_ENDPOINT_ENABLED": ("bool", ""),
}

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_INTEGER = re.compile(r"^[+-]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9]\d*)$")
_DURATION = re.compile(r"^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$")


def go_bool(text: str) -> bool | None:
    """A boolean as Go's ``strconv.ParseBool`` reads it, None when it refuses."""
    if text in _TRUE:
        return True
    return False if text in _FALSE else None


def malformed_variables(
    values: Mapping[str, str], *, client: Literal["distributor", "sdk"], version: str
) -> tuple[str, ...]:
    """Names of the typed variables among ``values`` at which this client would stop."""
    release = Version.parse(version)
    table = _DISTRIBUTOR if client == "distributor" else _SDK
    return tuple(
        name
        for name, (kind, since) in table.items()
        if name in values
        and (release is None or client == "sdk" or release.within(since, ""))
        and not _reads(kind, values[name])
    )


def _reads(kind: Kind, text: str) -> bool:
    if kind == "bool":
        return go_bool(text) is not None
    pattern = _INTEGER if kind == "int" else _DURATION
    return pattern.match(text) is not None
