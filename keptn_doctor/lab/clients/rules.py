"""What each release of the distributor and of the SDK does: the lab's own table.

Written from the Keptn sources (``distributor/`` and ``go-utils/pkg/`` of each tag), apart from the
doctor's tables on purpose: a mistake in one of the two shows as a failing scenario.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from keptn_doctor.lab.clients.go_errors import Go
from keptn_doctor.lab.clients.go_http import Transport
from keptn_doctor.lab.keptn.releases import Release, release
from keptn_doctor.lab.settings import ClientSettings

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|s|m|h))+")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

Texts = Literal["0.8.4", "0.11", "0.12", "0.14"]  # spelling of registration and heartbeat lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One client's behaviour, environment included."""

    kind: Literal["distributor", "sdk"]
    version: Release
    go: Go
    registration: Transport  # registration, heartbeat, log upload
    polling: Transport  # polls, event posts, the local API proxy
    texts: Texts
    oauth: bool = False
    heartbeat: Literal["none", "reregister", "ping"] = "ping"
    heartbeat_s: float = 10.0
    most_heartbeats: int = 0  # failures in a row before the process ends; 0 = never
    tries: int = 20  # of the first registration
    pause_s: float = 5.0
    when_refused: Literal["background", "empty-id", "exit"] = "exit"
    polls_environment: bool = False  # PUBSUB_TOPIC, whatever the registration says
    poll_s: float = 10.0
    most_polls: int = 0  # failed rounds in the process's life before it ends; 0 = never
    poll_text: Literal["endpoint", "bare", "cause"] = "cause"
    poll_level: Literal["error", "warning"] = "warning"
    poll_query: bool = True  # ?project= and so on when the filter names exactly one
    error_texts: Literal["old", "new"] = "new"
    talks: bool = False  # prints every poll
    banner: bool = True
    proxied: tuple[str, ...] = ("/controlPlane", "/mongodb-datastore", "/resource-service")
    forces_http: bool = False  # registration goes to http whatever the endpoint says


def oauth_enabled(env: Mapping[str, str]) -> bool:
    """All of client id, secret and scopes, and one of token and discovery URL."""
    needed = ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES")
    urls = env.get("OAUTH_TOKEN_URL") or env.get("OAUTH_DISCOVERY")
    return bool(all(env.get(name) for name in needed) and urls)


def boolean(text: str | None, *, default: bool) -> bool | None:
    """``strconv.ParseBool``; None when the text is none."""
    if text is None:
        return default
    if text in _TRUE:
        return True
    return False if text in _FALSE else None


def duration(text: str | None, *, default: float) -> float | None:
    """``time.ParseDuration`` in seconds; None when the text is none."""
    if text is None:
        return default
    if not _DURATION.fullmatch(text):
        return None
    return sum(
        float(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    )


def whole(text: str | None, *, default: int) -> int:
    try:
        return int(text) if text is not None else default
    except ValueError:
        return default


def rules_of(settings: ClientSettings) -> Rules:
    """The behaviour of a client with its version and environment."""
    if settings.client == "sdk":
        return _sdk(settings)
    return _distributor(settings)


def _go(version: Release) -> Go:
    """``distributor/Dockerfile`` of each tag."""
    if version < (0, 14, 0):
        return (1, 16)
    if version < (0, 16, 0):
        return (1, 17)
    return (1, 18) if version < (1, 1, 0) else (1, 20)


def _transports(
    version: Release, env: Mapping[str, str], *, oauth: bool
) -> tuple[Transport, Transport]:
    """Registration and polling (go-utils ``apiServiceUtils.go``: getClientTransport)."""
    go = _go(version)
    verify = boolean(env.get("HTTP_SSL_VERIFY"), default=True) is not False
    if oauth:
        both = Transport(verify=verify, proxies=False, timeout_s=None, go=go)
        return both, both
    if version >= (0, 13, 0):
        limit = (
            5.0
            if version == (0, 13, 0)
            else float(whole(env.get("API_PROXY_HTTP_TIMEOUT"), default=30))
        )
        both = Transport(verify=False, proxies=True, timeout_s=limit, go=go)
        return both, both
    registering = Transport(
        verify=False,
        proxies=version >= (0, 10, 0),
        timeout_s=5.0 if version >= (0, 11, 0) else None,
        go=go,
    )
    return registering, Transport(verify=verify, proxies=False, timeout_s=None, go=go)


def _texts(version: Release) -> Texts:
    if version < (0, 11, 0):
        return "0.8.4"
    if version < (0, 12, 0):
        return "0.11"
    return "0.12" if version < (0, 14, 0) else "0.14"


def _distributor(settings: ClientSettings) -> Rules:
    version, env = release(settings.version), settings.env
    oauth = version >= (0, 13, 0) and oauth_enabled(env)
    registering, polling = _transports(version, env, oauth=oauth)
    modern = version >= (0, 14, 0)
    tries = 20 if version < (0, 13, 0) else 5
    if modern:
        tries = whole(env.get("MAX_REGISTRATION_RETRIES"), default=10)
    interval = duration(env.get("HEARTBEAT_INTERVAL"), default=10.0) if modern else 10.0
    resources = "/configuration-service" if version < (0, 18, 0) else "/resource-service"
    return Rules(
        kind="distributor",
        version=version,
        go=_go(version),
        registration=registering,
        polling=polling,
        texts=_texts(version),
        oauth=oauth,
        heartbeat=_heartbeat(version),
        heartbeat_s=_beat(version, env, interval or 10.0),
        most_heartbeats=whole(env.get("MAX_HEARTBEAT_RETRIES"), default=10) if modern else 0,
        tries=tries,
        when_refused=_when_refused(version),
        polls_environment=version < (0, 9, 0),
        poll_s=float(whole(env.get("HTTP_POLLING_INTERVAL"), default=10)),
        poll_text=_poll_text(version),
        poll_level="warning" if modern else "error",
        poll_query=version >= (0, 13, 1),
        error_texts="old" if version <= (0, 13, 0) else "new",
        talks=version < (0, 11, 0),
        banner=modern,
        proxied=("/controlPlane", "/mongodb-datastore", resources),
        forces_http=version < (0, 9, 0),
    )


def _heartbeat(version: Release) -> Literal["none", "reregister", "ping"]:
    if version < (0, 8, 4):
        return "none"
    return "reregister" if version < (0, 9, 0) else "ping"


def _beat(version: Release, env: Mapping[str, str], interval: float) -> float:
    if version >= (0, 9, 0):
        return interval
    return duration(env.get("REGISTRATION_INTERVAL"), default=10.0) or 10.0


def _when_refused(version: Release) -> Literal["background", "empty-id", "exit"]:
    if version < (0, 9, 0):
        return "background"
    return "empty-id" if version < (0, 12, 0) else "exit"


def _poll_text(version: Release) -> Literal["endpoint", "bare", "cause"]:
    if version < (0, 13, 0):
        return "endpoint"
    return "bare" if version == (0, 13, 0) else "cause"


def _sdk(settings: ClientSettings) -> Rules:
    """go-utils ``pkg/sdk`` (0.16.x: ``cp-connector``)."""
    env = settings.env
    own = release(settings.version)
    library = (0, 20, 0) if settings.product else own
    oauth = oauth_enabled(env)
    verify = boolean(env.get("HTTP_SSL_VERIFY"), default=True) is not False
    go = (1, 18)
    limit = float(whole(env.get("API_PROXY_HTTP_TIMEOUT"), default=30))
    both = Transport(verify=False, proxies=True, timeout_s=limit, go=go)
    if oauth:
        both = Transport(verify=verify, proxies=False, timeout_s=None, go=go)
    return Rules(
        kind="sdk",
        version=library,
        go=go,
        registration=both,
        polling=both,
        texts="0.14",
        oauth=oauth,
        heartbeat_s=5.0,
        most_heartbeats=10 if library >= (0, 18, 0) else 0,
        tries=1,
        poll_s=1.0,
        most_polls=10,
        banner=False,
        proxied=(),
    )


_TYPED: tuple[tuple[str, str, str, Release], ...] = (
    # variable, field, Go type, since
    ("API_PROXY_PORT", "APIProxyPort", "int", (0, 8, 3)),
    ("HTTP_SSL_VERIFY", "VerifySSL", "bool", (0, 8, 3)),
    ("DISABLE_REGISTRATION", "DisableRegistration", "bool", (0, 8, 4)),
    ("MAX_HEARTBEAT_RETRIES", "MaxHeartBeatRetries", "int", (0, 14, 0)),
    ("MAX_REGISTRATION_RETRIES", "MaxRegistrationRetries", "int", (0, 14, 0)),
    ("HEARTBEAT_INTERVAL", "HeartbeatInterval", "time.Duration", (0, 14, 0)),
    ("API_PROXY_MAX_PAYLOAD_BYTES_KB", "APIProxyMaxPayloadBytesKB", "float64", (0, 17, 0)),
)


def malformed_variable(rules: Rules, env: Mapping[str, str]) -> str:
    """The fatal line for a typed variable that is set but unusable; "" when all are fine."""
    for variable, field, go_type, since in _TYPED:
        text = env.get(variable)
        if text is None or rules.version < since or rules.kind != "distributor":
            continue
        if not _parses(text, go_type):
            return (
                f"Failed to process env var: envconfig.Process: assigning {variable} to "
                f"{field}: converting '{text}' to type {go_type}"
            )
    return ""


def _parses(text: str, go_type: str) -> bool:
    match go_type:
        case "bool":
            return boolean(text, default=False) is not None
        case "time.Duration":
            return duration(text, default=0) is not None
        case "float64":
            return re.fullmatch(r"\d+(\.\d+)?", text) is not None
        case _:
            return re.fullmatch(r"-?\d+", text) is not None
