"""The words of Go's standard library for what goes wrong on a network.

Simulated clients log them as the real ones do, because people (and the doctor) read logs. All texts
are of ``net``, ``net/http``, ``crypto/tls``, ``crypto/x509`` and ``encoding/json``; where the Go
release matters, it is an argument.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

Go = tuple[int, int]


@dataclass(slots=True)
class GoError(Exception):
    """An ``error`` of a Go call: its text, and how long the call took in the world's seconds.

    ``took_s`` is infinite for a call that never returns (no time limit anywhere). ``other`` is the
    text that the same failure has every second time, when two parts of Go race to report it.
    """

    text: str
    took_s: float = 0.0
    other: str = ""

    def __str__(self) -> str:
        return self.text


FOREVER = float("inf")
SYN_RETRIES_S = 127.0  # Linux gives up on a SYN after about two minutes
NO_ROUTE_S = 3.0


def wrapped(method: str, url: str, inner: str) -> str:
    """``url.Error``: the operation is the method in title case."""
    return f'{method.capitalize()} "{url}": {inner}'


def certificate_text(
    leaf: x509.Certificate, host: str, *, chain_ok: bool, now: datetime, go: Go
) -> str:
    """Why Go refuses a certificate, "" when it does not; checks in Go's order.

    Args:
        leaf: the server's certificate.
        host: the name or address that was asked for.
        chain_ok: whether the chain ends in a trusted authority, dates aside.
        now: the client's clock.
        go: the Go release that built the client.
    """
    problem = _validity(leaf, now) or _name_problem(leaf, host, go)
    if not problem and not chain_ok:
        problem = "certificate signed by unknown authority"
    if not problem:
        return ""
    prefix = "tls: failed to verify certificate: " if go >= (1, 20) else ""
    return f"{prefix}x509: {problem}"


def _validity(leaf: x509.Certificate, now: datetime) -> str:
    text = "certificate has expired or is not yet valid: current time "
    if now > leaf.not_valid_after_utc:
        return f"{text}{_rfc3339(now)} is after {_rfc3339(leaf.not_valid_after_utc)}"
    if now < leaf.not_valid_before_utc:
        return f"{text}{_rfc3339(now)} is before {_rfc3339(leaf.not_valid_before_utc)}"
    return ""


def _rfc3339(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _name_problem(leaf: x509.Certificate, host: str, go: Go) -> str:
    try:
        san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        legacy = "certificate relies on legacy Common Name field, use SANs"
        return (
            f"{legacy} instead"
            if go >= (1, 17)
            else (
                f"{legacy} or temporarily enable Common Name matching with GODEBUG=x509ignoreCN=0"
            )
        )
    addresses = [str(a) for a in san.get_values_for_type(x509.IPAddress)]
    names = san.get_values_for_type(x509.DNSName)
    if _is_address(host):
        if host in addresses:
            return ""
        if not addresses:
            return f"cannot validate certificate for {host} because it doesn't contain any IP SANs"
        return f"certificate is valid for {', '.join(addresses)}, not {host}"
    if any(_covers(name, host) for name in names):
        return ""
    if not names:
        return f"certificate is not valid for any names, but wanted to match {host}"
    return f"certificate is valid for {', '.join(names)}, not {host}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _covers(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.partition(".")[2].lower() == pattern[2:].lower()
    return pattern.lower() == host.lower()


def tls_text(error: ssl.SSLError) -> str:
    """A handshake or a first read that failed, apart from certificates."""
    reason = (error.reason or "").upper()
    if "CERTIFICATE_REQUIRED" in reason:
        return "remote error: tls: certificate required"
    if "HANDSHAKE_FAILURE" in reason or "BAD_CERTIFICATE" in reason:
        return "remote error: tls: bad certificate"
    if "PROTOCOL_VERSION" in reason:
        return "remote error: tls: protocol version not supported"
    if "EOF" in reason or "EOF" in str(error):
        return "EOF"
    return "http: server gave HTTP response to HTTPS client"


def json_text(body: bytes) -> str:
    """Why ``encoding/json`` refuses a body; "" when it is JSON."""
    text = body.decode(errors="replace").lstrip()
    if not text:
        return "unexpected end of JSON input"
    try:
        json.JSONDecoder().decode(text.rstrip())
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return f"invalid character {_quoted(text[error.pos])} after top-level value"
        if error.pos == 0 and text[0] not in '"{[-0123456789tfn':
            return f"invalid character {_quoted(text[0])} looking for beginning of value"
        if error.pos >= len(text):
            return "unexpected end of JSON input"
        return f"invalid character {_quoted(text[error.pos])} looking for beginning of value"
    return ""


def _quoted(character: str) -> str:
    return repr(character)


def unmarshal_array_text(go_type: str) -> str:
    return f"json: cannot unmarshal array into Go value of type {go_type}"


def header_text(value: str, go: Go) -> str:
    """A header value that Go refuses to send; Go up to 1.17 prints the value itself."""
    if go >= (1, 18):
        return 'net/http: invalid header field value for "X-Token"'
    quoted = json.dumps(value)
    return f"net/http: invalid header field value {quoted} for key X-Token"


def has_forbidden_characters(value: str) -> bool:
    """What ``httpguts.ValidHeaderFieldValue`` refuses: control characters except tab."""
    return any((ord(c) < 32 and c != "\t") or ord(c) == 127 for c in value)
