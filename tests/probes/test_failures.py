"""The map from exceptions to failures goes by class and number, and knows a bug from a fault."""

from __future__ import annotations

import json
import socket
import ssl

import dns.message
import dns.rcode
import dns.resolver
import httpcore
import httpx
import msgspec
import pytest
import wsproto.utilities
from hypothesis import given
from hypothesis import strategies as st

from keptn_doctor.probes.failures import (
    WorldFault,
    certificate_problem,
    classify,
    fault,
    handshake_failure,
)


def place(error: BaseException) -> tuple[str, str]:
    failure = classify(error)
    assert failure is not None
    return failure.phase, failure.code


def caused(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


def name_servers_failed(rcode: int) -> dns.resolver.NoNameservers:
    query = dns.message.make_query("x.example.com", "A")
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.Rcode(rcode))
    return dns.resolver.NoNameservers(
        request=query, errors=[("192.0.2.1", False, 53, "x", response)]
    )


CASES: list[tuple[BaseException, tuple[str, str]]] = [
    (fault("auth", "unauthorized"), ("auth", "unauthorized")),
    (ConnectionRefusedError(111, "x"), ("connect", "connection-refused")),
    (ConnectionResetError(104, "x"), ("http", "connection-reset")),
    (httpx.ConnectTimeout("x"), ("connect", "connect-timeout")),
    (httpx.ReadTimeout("x"), ("http", "read-timeout")),
    (httpcore.WriteTimeout("x"), ("http", "read-timeout")),
    (httpx.PoolTimeout("x"), ("deadline", "deadline-exceeded")),
    (httpx.ProxyError("407"), ("connect", "proxy-failed")),
    (httpx.TooManyRedirects("x"), ("http", "too-many-redirects")),
    (httpx.InvalidURL("x"), ("resolve", "name-invalid")),
    (httpx.UnsupportedProtocol("x"), ("http", "protocol-error")),
    (httpx.RemoteProtocolError("x"), ("http", "connection-closed")),
    (wsproto.utilities.RemoteProtocolError("x"), ("http", "protocol-error")),
    (TimeoutError(), ("deadline", "deadline-exceeded")),
    (msgspec.DecodeError("x"), ("parse", "not-json")),
    (msgspec.ValidationError("x"), ("parse", "unexpected-shape")),
    (json.JSONDecodeError("x", "", 0), ("parse", "not-json")),
    (socket.gaierror(socket.EAI_NONAME, "x"), ("resolve", "name-unknown")),
    (socket.gaierror(socket.EAI_AGAIN, "x"), ("resolve", "resolver-timeout")),
    (dns.resolver.NoResolverConfiguration(), ("resolve", "resolver-missing")),
    (name_servers_failed(dns.rcode.SERVFAIL), ("resolve", "server-failure")),
    (name_servers_failed(dns.rcode.REFUSED), ("resolve", "query-refused")),
    (
        caused(httpx.ConnectError("x"), caused(OSError("all failed"), OSError(113, "x"))),
        ("connect", "host-unreachable"),
    ),
    (
        caused(OSError("all failed"), ExceptionGroup("x", [OSError(101, "x"), OSError(111, "x")])),
        ("connect", "network-unreachable"),
    ),
    (caused(httpx.ConnectError("x"), ssl.SSLEOFError()), ("tls", "connection-closed")),
]


@pytest.mark.parametrize(("error", "expected"), CASES, ids=lambda value: repr(value)[:40])
def test_an_exception_of_the_world_has_its_place(
    error: BaseException, expected: tuple[str, str]
) -> None:
    assert place(error) == expected


@pytest.mark.parametrize(
    "bug", [KeyError("x"), ValueError("x"), FileNotFoundError(2, "x"), AttributeError("x")]
)
def test_a_bug_is_not_a_fault_of_the_world(bug: Exception) -> None:
    assert classify(bug) is None
    bug.__context__ = httpx.ConnectError("x")
    assert classify(bug) is None, "not even while a fault of the world was being handled"


def test_a_circle_of_contexts_ends() -> None:
    first, second = httpx.ReadError("a"), httpx.ReadError("b")
    first.__context__, second.__context__ = second, first
    assert place(first) == ("http", "connection-closed")


def test_the_text_of_an_exception_reaches_nobody() -> None:
    failure = classify(httpx.ReadError("x-token: hunter2hunter2"))
    assert failure is not None
    assert "hunter2" not in repr(failure)
    assert "hunter2" not in repr(WorldFault(failure))


def test_a_peer_that_hangs_up_after_asking_for_a_certificate_wanted_one() -> None:
    error = ConnectionResetError(104, "x")
    asked = handshake_failure(error, certificate_requested=True)
    assert asked.code == "client-certificate-required"
    assert handshake_failure(error, certificate_requested=False).code == "connection-reset"


@given(st.integers(0, 200), st.booleans())
def test_every_verify_code_but_zero_is_a_problem(code: int, incomplete: bool) -> None:  # noqa: FBT001
    assert (certificate_problem(code, incomplete=incomplete) == "") == (code == 0)
