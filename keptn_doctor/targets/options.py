"""What a user asked for, before it is known whether it makes sense.

The command line fills in ``Options``; an empty field means "not given". A token is no option: it
would stand in the process list and in the shell's history.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Literal
from urllib.parse import urlsplit

from keptn_doctor.model.base import Record
from keptn_doctor.network_settings import ConnectTo
from keptn_doctor.probes.round_trip_settings import Level
from keptn_doctor.usage import UsageError


class Options(Record, frozen=True, kw_only=True):
    """The options of a run, as they were given."""

    config: str = ""  # --config FILE
    kubeconfig: str = ""  # --kubeconfig PATHS
    control_plane: str = ""  # --control-plane [NAME=]CONTEXT
    control_plane_namespace: str = ""  # --control-plane-namespace NAMESPACE
    execution_planes: tuple[str, ...] = ()  # --execution-plane [NAME=]CONTEXT, repeatable
    namespaces: tuple[str, ...] = ()  # --namespace [PLANE/]NAMESPACE, repeatable
    in_cluster: bool = False  # --in-cluster
    endpoint: str = ""  # --endpoint URL
    token_file: str = ""  # --token-file FILE
    ask_token: bool = False  # --ask-token
    ca_file: str = ""  # --ca-file FILE
    nameservers: tuple[str, ...] = ()  # --nameserver ADDRESS[:PORT], repeatable
    connect_to: tuple[str, ...] = ()  # --connect-to HOST:PORT:TO-HOST:TO-PORT, repeatable
    proxy: str = ""  # --proxy URL, for the Keptn endpoint
    connect_timeout: float | None = None  # seconds
    request_timeout: float | None = None
    kube_timeout: float | None = None
    timeout: float | None = None  # of the whole run
    budget: str = ""  # --budget 20s
    log_window: str = ""  # --log-window 15m
    probe_pod: bool = False  # --probe-pod
    round_trip: Literal["", Level] = ""  # --round-trip[=LEVEL]
    project: str = ""  # --project, --stage, --service: where, at level controller
    stage: str = ""
    service: str = ""
    keptn_services: tuple[str, ...] = ()  # --keptn-service [PLANE/][NAMESPACE/]NAME, repeatable
    allow_deploying: bool = False  # --allow-deploying
    round_trip_timeout: float | None = None  # --round-trip-timeout, seconds
    probe_image: str = ""  # --probe-image REFERENCE
    probe_service_account: bool = False  # --probe-service-account


_CONNECT_TO = re.compile(r"(\[[^\]]*\]|[^:]*):(\d*):(\[[^\]]*\]|[^:]*):(\d*)")
_ADDRESS_PORT = re.compile(r"(\[[^\]]+\]|[^:]+)(?::(\d+))?")  # a bare IPv6 address has no port
_IMAGE = re.compile(r"[a-z0-9][\w.:/-]*@sha256:[0-9a-f]{64}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_DOMAIN = re.compile(r"(?=.{1,253}\.?$)[\w-]{1,63}(\.[\w-]{1,63})*\.?")
_MOST_DOTS = 15  # resolv.conf(5): a larger one is taken for 15
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_connect_to(text: str, where: str) -> ConnectTo:
    """``HOST:PORT:TO-HOST:TO-PORT``; any part may be empty. Raises UsageError."""
    match = _CONNECT_TO.fullmatch(text)
    ports = [int(port or 0) for port in (match[2], match[4])] if match else [-1]
    if not match or not all(0 <= port < 65_536 for port in ports):
        raise UsageError(f"{where}: {text} is not of the form HOST:PORT:TO-HOST:TO-PORT")
    return ConnectTo(
        host=match[1].strip("[]"),
        port=ports[0],
        to_host=match[3].strip("[]"),
        to_port=ports[1],
    )


def parse_nameserver(text: str, where: str) -> str:
    """An address with an optional port, as it was given. Raises UsageError."""
    match = _ADDRESS_PORT.fullmatch(text)
    host = match[1].strip("[]") if match else text
    port = int(match[2]) if match and match[2] else 53
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise UsageError(f"{where}: {text} is no address of a name server") from error
    if not 0 < port < 65_536:
        raise UsageError(f"{where}: {text} has no valid port")
    return text


def parse_duration(text: str, where: str) -> float:
    """Seconds of ``90s``, ``15m``, ``2h`` or ``1d``. Raises UsageError."""
    match = _DURATION.fullmatch(text.strip())
    if not match or float(match[1]) <= 0:
        raise UsageError(f"{where}: {text} is no duration such as 90s, 15m or 2h")
    return float(match[1]) * _SECONDS[match[2]]


def parse_budget(text: str) -> float:
    """Seconds of ``--budget``, 0 where none was given. Raises UsageError."""
    seconds = parse_duration(text, "--budget") if text else 0.0
    if 0 < seconds < 1:
        raise UsageError(f"--budget: {text} is too short to look at anything: give 1s or more")
    return seconds


def parse_endpoint(text: str, where: str) -> str:
    """A Keptn API endpoint without its trailing slash. Raises UsageError."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{where}: {text} is no URL: {error}") from error
    if "://" not in url:
        raise UsageError(f"{where}: {text} has no scheme: write http://{url} or https://{url}")
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise UsageError(f"{where}: {text} is no http or https URL")
    if parts.username or parts.password:
        raise UsageError(f"{where}: the URL must not hold a user or password")
    if not url.isprintable() or " " in url:
        raise UsageError(f"{where}: the URL holds a blank or a control character")
    if "?" in url or "#" in url:
        raise UsageError(f"{where}: the URL must end with its path: leave out what follows ? or #")
    return url.rstrip("/")


def parse_image(text: str, where: str) -> str:
    """A container image by digest: what runs in somebody's cluster is known to the byte."""
    if not _IMAGE.fullmatch(text):
        raise UsageError(f"{where}: {text} is no image by digest such as REPOSITORY@sha256:DIGEST")
    return text


def parse_proxy(text: str, where: str) -> str:
    """An http or https proxy, with user and password if it wants them. Raises UsageError."""
    try:
        parts = urlsplit(text.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"{where}: an http:// or https:// URL is needed")
    return text.strip()


def parse_search(text: str, where: str) -> str:
    """A domain that short names are tried in. Raises UsageError."""
    if not _DOMAIN.fullmatch(text):
        raise UsageError(f"{where}: {text!r} is no domain")
    return text


def parse_ndots(number: int | None, where: str) -> int | None:
    """How many dots make a name complete, as in resolv.conf(5). Raises UsageError."""
    if number is not None and not 0 <= number <= _MOST_DOTS:
        raise UsageError(f"{where}: {number} is not between 0 and {_MOST_DOTS}")
    return number
