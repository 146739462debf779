"""The only place that maps exceptions of libraries to the closed vocabulary of failures.

Mapping goes by class, errno, OpenSSL's verify code and OpenSSL's reason code, never by the text of
a message: texts change with versions and languages. What is not in a table here is a bug of ours,
and stays one: ``classify`` answers None for it.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import ssl
import sys
from collections.abc import Iterator
from typing import Literal

import h11
import httpcore
import httpx
import msgspec

from keptn_doctor.model.failure import Code, Failure, Phase

Problem = Literal[
    "",
    "certificate-expired",
    "certificate-not-yet-valid",
    "certificate-name-mismatch",
    "certificate-self-signed",
    "certificate-untrusted",
    "certificate-incomplete-chain",
    "certificate-invalid",
]
Place = tuple[Phase, Code]


class WorldFault(Exception):  # noqa: N818 - it is not an error of ours
    """Carries a Failure up through a probe's own call stack to its border."""

    def __init__(self, failure: Failure, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{failure.phase}: {failure.code}")
        self.failure = failure
        self.retry_after_s = retry_after_s  # what the server said of asking again


def fault(phase: Phase, code: Code, detail: str = "", *, status: int = 0) -> WorldFault:
    """A WorldFault, ready to raise."""
    return WorldFault(Failure(phase=phase, code=code, detail=detail, status=status))


def classify(error: BaseException, *, phase: Phase | None = None) -> Failure | None:
    """The failure that an exception stands for; None when it is a bug of ours.

    ``phase`` is what the caller was doing: a reset says "connection-reset" in any phase. Without
    it the phase is the one in which such an error is usual.
    """
    if isinstance(error, WorldFault):
        return error.failure
    if not isinstance(error, (*_OUTER, *_late())) or _is_of_this_machine(error):
        return None
    chain = tuple(_chain(error))
    for inner in reversed(chain):
        place = _exact(inner)
        if place:
            return _failure(place, inner, phase)
    for outer in chain:
        place = _by_library(outer)
        if place:
            return _failure(place, outer, phase)
    return None


def certificate_problem(verify_code: int, *, incomplete: bool = False) -> Problem:
    """What an OpenSSL verify code (``X509_V_ERR_*``, openssl-verification-options(1)) means.

    Code 20 stands for an authority that is unknown and for an intermediate that was not sent;
    ``incomplete`` is what the chain says of it.
    """
    if verify_code in _ISSUER_NOT_FOUND:
        return "certificate-incomplete-chain" if incomplete else "certificate-untrusted"
    return _VERIFY_CODES.get(verify_code, "certificate-invalid")


_VERIFY_CODES: dict[int, Problem] = {
    0: "",
    9: "certificate-not-yet-valid",
    10: "certificate-expired",
    18: "certificate-self-signed",
    19: "certificate-untrusted",  # a self-signed authority was sent, and is not trusted
    27: "certificate-untrusted",
    62: "certificate-name-mismatch",  # host
    64: "certificate-name-mismatch",  # address
}
_ISSUER_NOT_FOUND = (2, 20, 21)

_ERRNO: dict[int, Code] = {
    errno.ECONNREFUSED: "connection-refused",
    errno.ETIMEDOUT: "connect-timeout",
    errno.EHOSTUNREACH: "host-unreachable",
    errno.EHOSTDOWN: "host-unreachable",
    errno.ENETUNREACH: "network-unreachable",
    errno.ENETDOWN: "network-unreachable",
    errno.EADDRNOTAVAIL: "network-unreachable",  # no address of that family on this machine
    errno.EAFNOSUPPORT: "network-unreachable",
    errno.ECONNRESET: "connection-reset",
    errno.EPIPE: "connection-closed",
    errno.ECONNABORTED: "connection-closed",
    errno.ENOTCONN: "connection-closed",
    errno.ESHUTDOWN: "connection-closed",
}
_LOCAL_FIREWALL = (errno.EPERM, errno.EACCES)  # of connect(2); of open(2) they are bugs of ours

_EAI: tuple[tuple[str, Code], ...] = (
    ("EAI_NONAME", "name-unknown"),
    ("EAI_NODATA", "no-address"),
    ("EAI_ADDRFAMILY", "no-address"),
    ("EAI_AGAIN", "resolver-timeout"),
    ("EAI_FAIL", "server-failure"),
)
# A missing constant is a platform that never gives that answer.
_ADDRESS_INFO = {getattr(socket, name): code for name, code in _EAI if hasattr(socket, name)}

# OpenSSL's reason codes by their symbols (include/openssl/sslerr.h); numbers are not exposed.
_TLS_REASONS: dict[str, Code] = {
    "WRONG_VERSION_NUMBER": "not-tls",
    "UNKNOWN_PROTOCOL": "not-tls",
    "HTTP_REQUEST": "not-tls",
    "HTTPS_PROXY_REQUEST": "not-tls",
    "PACKET_LENGTH_TOO_LONG": "not-tls",
    "RECORD_TOO_SMALL": "not-tls",
    "BAD_RECORD_TYPE": "not-tls",
    "UNSUPPORTED_PROTOCOL": "protocol-version",
    "VERSION_TOO_LOW": "protocol-version",
    "NO_PROTOCOLS_AVAILABLE": "protocol-version",
    "TLSV1_ALERT_PROTOCOL_VERSION": "protocol-version",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "client-certificate-required",
    "UNEXPECTED_EOF_WHILE_READING": "connection-closed",
}

_LIBRARY: tuple[tuple[type[BaseException], Place], ...] = (
    (httpx.ProxyError, ("connect", "proxy-failed")),
    (httpcore.ProxyError, ("connect", "proxy-failed")),
    (httpx.ConnectTimeout, ("connect", "connect-timeout")),
    (httpcore.ConnectTimeout, ("connect", "connect-timeout")),
    (httpx.PoolTimeout, ("deadline", "deadline-exceeded")),
    (httpcore.PoolTimeout, ("deadline", "deadline-exceeded")),
    (httpx.TimeoutException, ("http", "read-timeout")),
    (httpcore.TimeoutException, ("http", "read-timeout")),
    (httpx.ConnectError, ("connect", "connection-closed")),
    (httpcore.ConnectError, ("connect", "connection-closed")),
    (httpx.NetworkError, ("http", "connection-closed")),
    (httpcore.NetworkError, ("http", "connection-closed")),
    (httpx.TooManyRedirects, ("http", "too-many-redirects")),
    (httpx.InvalidURL, ("resolve", "name-invalid")),
    (httpx.HTTPError, ("http", "protocol-error")),
    (httpcore.ProtocolError, ("http", "protocol-error")),
    (httpcore.UnsupportedProtocol, ("http", "protocol-error")),
    (h11.ProtocolError, ("http", "protocol-error")),
    (asyncio.IncompleteReadError, ("http", "connection-closed")),
    (asyncio.LimitOverrunError, ("http", "too-large")),
    (msgspec.ValidationError, ("parse", "unexpected-shape")),
    (msgspec.DecodeError, ("parse", "not-json")),
    (json.JSONDecodeError, ("parse", "not-json")),
    (TimeoutError, ("deadline", "deadline-exceeded")),
)
# Anything else that was raised while one of these was handled is a bug, whatever its context.
_OUTER: tuple[type[BaseException], ...] = (OSError, *(kind for kind, _ in _LIBRARY))
_LONGEST_CHAIN = 12  # contexts can form a cycle

# Of libraries that are loaded when the first requests are out, 45 ms later. Nobody can have met an
# exception of theirs before.
_LATE: tuple[tuple[str, str, Place], ...] = (
    ("wsproto.utilities", "ProtocolError", ("http", "protocol-error")),
    ("dns.exception", "DNSException", ("resolve", "server-failure")),
)


def _late() -> dict[type[BaseException], Place]:
    """Those of ``_LATE`` whose library is loaded by now."""
    found = ((getattr(sys.modules.get(module), name, None), place) for module, name, place in _LATE)
    return {kind: place for kind, place in found if kind}


def _chain(error: BaseException, depth: int = 0) -> Iterator[BaseException]:
    if depth > _LONGEST_CHAIN:
        return
    yield error
    if isinstance(error, BaseExceptionGroup):  # anyio: one OSError per address that was tried
        yield from _chain(error.exceptions[0], depth + 1)
    cause = error.__cause__ or error.__context__  # httpcore's pool drops causes, not contexts
    if cause is not None:
        yield from _chain(cause, depth + 1)


def _exact(error: BaseException) -> Place | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "tls", certificate_problem(error.verify_code) or "certificate-invalid"
    if isinstance(error, ssl.SSLError):
        return "tls", _tls_code(error)
    if isinstance(error, UnicodeError):
        return "resolve", "name-invalid"
    if "dns.exception" in sys.modules and (answer := _dns_code(error)):
        return "resolve", answer
    if isinstance(error, socket.gaierror):
        return "resolve", _ADDRESS_INFO.get(error.errno or 0, "server-failure")
    if isinstance(error, OSError):
        code = _ERRNO.get(error.errno or 0)
        reading = code in ("connection-reset", "connection-closed")
        return (("http" if reading else "connect"), code) if code else None
    return None


def _is_of_this_machine(error: BaseException) -> bool:
    """A missing file or too many open ones: whatever came before, no fault of the network."""
    return isinstance(error, OSError) and bool(error.errno) and _exact(error) is None


def _tls_code(error: ssl.SSLError) -> Code:
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "connection-closed"
    return _TLS_REASONS.get(_reason(error), "handshake-failed")


def _reason(error: ssl.SSLError) -> str:
    """OpenSSL's symbol; an error that Python makes itself has none."""
    return getattr(error, "reason", None) or ""


def _dns_code(error: BaseException) -> Code | None:
    from keptn_doctor.probes.dns_failures import dns_code  # noqa: PLC0415 - it loads dnspython

    return dns_code(error)


def _by_library(error: BaseException) -> Place | None:
    if isinstance(error, httpx.RemoteProtocolError | httpcore.RemoteProtocolError) and not any(
        isinstance(inner, h11.ProtocolError) for inner in _chain(error)
    ):
        return "http", "connection-closed"  # httpcore's own: the peer hung up before an answer
    for kind, place in (*_LIBRARY, *_late().items()):
        if isinstance(error, kind):
            return place
    return None


def _failure(place: Place, error: BaseException, phase: Phase | None) -> Failure:
    usual, code = place
    fixed = usual in ("resolve", "parse") or (usual == "tls" and code.startswith("certificate"))
    return Failure(phase=usual if fixed else phase or usual, code=code, detail=_detail(error))


_CERTIFICATE_WORDS: dict[Problem, str] = {
    "certificate-expired": "its certificate has expired",
    "certificate-not-yet-valid": "its certificate is not valid yet",
    "certificate-name-mismatch": "its certificate is for another name",
    "certificate-self-signed": "its certificate is self-signed and not trusted",
    "certificate-untrusted": "its certificate comes from an authority that is not trusted",
    "certificate-invalid": "its certificate cannot be verified",
}
_ADDRESS_WORDS: dict[Code, str] = {
    "name-unknown": "there is no such name",
    "no-address": "its name has no address",
    "resolver-timeout": "no name server answered",
}


def _detail(error: BaseException) -> str:
    """One line without anything that the peer or the caller wrote."""
    if isinstance(error, ssl.SSLCertVerificationError):
        problem = certificate_problem(error.verify_code) or "certificate-invalid"
        return f"{_CERTIFICATE_WORDS[problem]} (OpenSSL verify code {error.verify_code})"
    if isinstance(error, ssl.SSLError):
        return f"OpenSSL: {_reason(error) or 'the peer closed the connection'}"
    if isinstance(error, socket.gaierror):
        code = _ADDRESS_INFO.get(error.errno or 0, "server-failure")
        return f"{_ADDRESS_WORDS.get(code, 'its name cannot be looked up')} ({error.errno})"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__


def connect_failure(error: BaseException) -> Failure | None:
    """``classify`` for a TCP connection being opened, where EPERM means a local firewall."""
    if any(isinstance(e, PermissionError) and e.errno in _LOCAL_FIREWALL for e in _chain(error)):
        return Failure(
            phase="connect", code="host-unreachable", detail="this machine forbids the connection"
        )
    return classify(error, phase="connect")


def handshake_failure(error: BaseException, *, certificate_requested: bool) -> Failure:
    """``classify`` for a TLS handshake; a peer that asked for a certificate hangs up without one.

    TLS 1.2 has no alert of its own for that: servers send handshake_failure, bad_certificate or
    just close.
    """
    known = classify(error, phase="tls") or Failure(phase="tls", code="handshake-failed")
    refused = known.code in ("handshake-failed", "connection-closed", "connection-reset")
    if certificate_requested and refused:
        return Failure(phase="tls", code="client-certificate-required", detail=known.detail)
    return known
