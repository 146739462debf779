"""The part of ``probes.failures`` that is about dnspython, which takes 35 ms to load.

Who has such an exception has loaded the library; an API server is asked before there is a name that
dnspython is to look up, and so without it.
"""

from __future__ import annotations

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.resolver

from keptn_doctor.model.failure import Code


def dns_code(error: BaseException) -> Code | None:
    """What an exception of dnspython stands for, by its class; None for any other."""
    if isinstance(error, dns.resolver.NoNameservers):
        return _worst_answer(error)
    return next((code for kind, code in _ERRORS if isinstance(error, kind)), None)


_ERRORS: tuple[tuple[type[BaseException], Code], ...] = (
    (dns.resolver.NXDOMAIN, "name-unknown"),
    (dns.resolver.NoAnswer, "no-address"),
    (dns.resolver.YXDOMAIN, "server-failure"),
    (dns.resolver.NoResolverConfiguration, "resolver-missing"),
    (dns.message.ChainTooLong, "cname-loop"),
    (dns.exception.Timeout, "resolver-timeout"),
    (dns.name.LabelTooLong, "name-invalid"),
    (dns.name.NameTooLong, "name-invalid"),
    (dns.name.EmptyLabel, "name-invalid"),
    (dns.name.BadEscape, "name-invalid"),
    (dns.name.IDNAException, "name-invalid"),
)


def _worst_answer(error: dns.resolver.NoNameservers) -> Code:
    """SERVFAIL, REFUSED and loops share one class of dnspython; its ``errors`` tell the kind."""
    codes: list[Code] = []
    for _server, _tcp, _port, reason, response in error.kwargs.get("errors", ()):
        if isinstance(reason, dns.message.ChainTooLong):
            codes.append("cname-loop")
        elif response is not None and response.rcode() != dns.rcode.NOERROR:
            codes.append(_rcode_code(response.rcode()))
        elif isinstance(reason, dns.exception.Timeout):
            codes.append("resolver-timeout")
        elif isinstance(reason, OSError):
            codes.append("resolver-timeout")  # refused or unreachable: no answer either
    order: tuple[Code, ...] = (
        "cname-loop",
        "server-failure",
        "query-refused",
        "resolver-timeout",
    )
    return next((code for code in order if code in codes), "server-failure")


def _rcode_code(rcode: int) -> Code:
    """The code of a DNS response code (RFC 1035 section 4.1.1)."""
    if rcode == dns.rcode.NXDOMAIN:
        return "name-unknown"
    return "query-refused" if rcode == dns.rcode.REFUSED else "server-failure"
