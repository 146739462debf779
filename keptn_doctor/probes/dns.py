"""Resolves a name the way a program on this machine would, and tells every kind of failing apart.

The search list is walked here and not by the library, because what was tried and what came of it
is evidence. Without name servers of the user's own choice the system decides (hosts file, VPN
resolvers), and DNS only adds what the system does not tell: aliases, and why a name failed. It
never caches: two looks at a flapping name are two answers.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterable
from typing import Literal

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
import msgspec

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Code, Failure
from keptn_doctor.model.path_facts import DnsAnswer
from keptn_doctor.network_settings import NetworkSettings, literal_address
from keptn_doctor.probes.failures import WorldFault, classify, fault

_MAX_NAMES = 8  # of a search list
_DNS_PORT = 53
_SERVER = re.compile(r"\[?(?P<address>[0-9a-fA-F:.]+?)\]?(?P<port>(?<=\]):\d+|(?<!:):\d+)?")


class _Outcome(Record, frozen=True, kw_only=True):
    """What one candidate name came to."""

    name: str
    code: Code | Literal[""] = ""
    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()
    cnames: tuple[str, ...] = ()
    ttl_s: int | None = None
    server: str = ""
    half: str = ""  # "AAAA: server-failure" when only the other kind of record was answered


async def look_up(host: str, settings: NetworkSettings, *, deadline_s: float) -> DnsAnswer:
    """The addresses of a host, with its aliases and the names of the search list tried before.

    Raises WorldFault: name-unknown, no-address, server-failure, query-refused, resolver-timeout,
    cname-loop, resolver-missing or name-invalid, in phase "resolve".
    """
    address = literal_address(host)
    if address:
        return _literal(address)
    if host.rstrip(".").lower() == "localhost":  # RFC 6761: never asked of a name server
        return _listed(host, await _getaddrinfo(host, deadline_s=deadline_s))
    candidates = _candidates(host, settings)
    if settings.nameservers:
        outcomes = await _walk(candidates, settings, deadline_s=deadline_s)
        return _answer(host, outcomes)
    return await _as_the_system_does(host, candidates, settings, deadline_s=deadline_s)


def _literal(address: str) -> DnsAnswer:
    four = ":" not in address
    return DnsAnswer(
        name=address,
        ipv4=(address,) if four else (),
        ipv6=() if four else (address,),
        canonical_name=address,
        literal=True,
    )


async def _as_the_system_does(
    host: str, candidates: list[dns.name.Name], settings: NetworkSettings, *, deadline_s: float
) -> DnsAnswer:
    """Addresses from getaddrinfo, the rest from DNS; either alone will do."""
    walked, listed = await asyncio.gather(
        _walk(candidates, settings, deadline_s=deadline_s),
        _getaddrinfo(host, deadline_s=deadline_s),
        return_exceptions=True,
    )
    for outcome in (walked, listed):
        if isinstance(outcome, BaseException) and not isinstance(outcome, WorldFault):
            raise outcome
    found = walked if isinstance(walked, list) else []
    if isinstance(listed, BaseException):
        if isinstance(walked, BaseException):
            raise walked
        return _answer(host, found)
    told = _answer(host, found) if found else None
    if told is None or not set(listed) & set(told.addresses):
        return _listed(host, listed)
    system = _listed(host, listed)
    return msgspec.structs.replace(told, ipv4=system.ipv4, ipv6=system.ipv6)


def _listed(host: str, addresses: tuple[str, ...]) -> DnsAnswer:
    """An answer of the system alone: its hosts file, or a source of names that is not DNS."""
    return DnsAnswer(
        name=host,
        ipv4=tuple(a for a in addresses if ":" not in a),
        ipv6=tuple(a for a in addresses if ":" in a),
        canonical_name=host.rstrip("."),
        resolver="system",
    )


async def _getaddrinfo(host: str, *, deadline_s: float) -> tuple[str, ...]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(deadline_s):
            infos = await loop.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise fault("resolve", "resolver-timeout", "the system did not resolve it") from None
    except (OSError, UnicodeError) as error:
        failure = classify(error, phase="resolve") or _invalid(host)
        raise WorldFault(failure) from None
    return tuple(dict.fromkeys(str(info[4][0]).partition("%")[0] for info in infos))


def _resolver(settings: NetworkSettings) -> dns.asyncresolver.Resolver:
    """The user's name servers, else those of the system's configuration."""
    if not settings.nameservers:
        return dns.asyncresolver.Resolver(configure=True)
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [_nameserver(text) for text in settings.nameservers]
    return resolver


def _nameserver(text: str) -> dns.nameserver.Nameserver:
    match = _SERVER.fullmatch(text)
    if match is None or not literal_address(match["address"]):
        raise fault("resolve", "resolver-missing", f"{text!r} is no address of a name server")
    port = int((match["port"] or ":0")[1:]) or _DNS_PORT
    return dns.nameserver.Do53Nameserver(literal_address(match["address"]), port)


def _invalid(host: str) -> Failure:
    return Failure(phase="resolve", code="name-invalid", detail=f"{host!r} is no valid host name")


def _candidates(host: str, settings: NetworkSettings) -> list[dns.name.Name]:
    """The full names to ask for, in the order of resolv.conf(5)."""
    if not host or any(c.isspace() or c in "/:@" for c in host):
        raise WorldFault(_invalid(host))
    try:
        name = dns.name.from_text(host, origin=None, idna_codec=dns.name.IDNA_2003_Practical)
    except (dns.exception.DNSException, UnicodeError, ValueError):
        raise WorldFault(_invalid(host)) from None
    if name.is_absolute():
        return [name]
    search, ndots = _search(settings)
    as_is = [name.concatenate(dns.name.root)]
    longer = []
    for suffix in search:
        try:
            longer.append(name.concatenate(suffix))
        except dns.name.NameTooLong:
            continue
    dots = len(name.labels) - 1
    return (as_is + longer if dots >= ndots else longer + as_is)[:_MAX_NAMES]


def _search(settings: NetworkSettings) -> tuple[Iterable[dns.name.Name], int]:
    if settings.nameservers or settings.search:
        suffixes = [dns.name.from_text(text) for text in settings.search]
        return suffixes, 1 if settings.ndots is None else settings.ndots
    try:
        system = dns.asyncresolver.Resolver(configure=True)
    except dns.resolver.NoResolverConfiguration:
        return (), 1
    suffixes = list(system.search) or [system.domain]
    ndots = settings.ndots if settings.ndots is not None else system.ndots
    return [s for s in suffixes if s != dns.name.root], 1 if ndots is None else ndots


async def _walk(
    candidates: list[dns.name.Name], settings: NetworkSettings, *, deadline_s: float
) -> list[_Outcome]:
    """Outcomes up to the first name that has an address, or up to the first silence.

    Raises WorldFault when no candidate has an address.
    """
    try:
        resolver = _resolver(settings)
    except dns.resolver.NoResolverConfiguration as error:
        raise WorldFault(classify(error) or _invalid("")) from None
    resolver.lifetime = deadline_s
    outcomes: list[_Outcome] = []
    for candidate in candidates:
        outcome = await _ask(resolver, candidate)
        outcomes.append(outcome)
        if not outcome.code:
            return outcomes
        if outcome.code == "resolver-timeout":
            break  # the next name would be asked of the same silent servers
    raise WorldFault(_why(candidates, outcomes))


async def _ask(resolver: dns.asyncresolver.Resolver, name: dns.name.Name) -> _Outcome:
    four, six = await asyncio.gather(
        _records(resolver, name, "A"), _records(resolver, name, "AAAA")
    )
    text = name.to_text(omit_final_dot=True)
    good = [a for a in (four, six) if isinstance(a, dns.resolver.Answer)]
    if not good:
        codes = [code for code in (four, six) if isinstance(code, str)]
        worst = next((code for code in codes if code != "no-address"), codes[0])
        return _Outcome(name=text, code=worst)
    best = good[0]
    halves = {"A": four, "AAAA": six}
    odd = [f"{k}: {v}" for k, v in halves.items() if isinstance(v, str) and v != "no-address"]
    return _Outcome(
        name=text,
        ipv4=_texts(four),
        ipv6=_texts(six),
        cnames=tuple(
            rrset[0].target.to_text(omit_final_dot=True) for rrset in best.chaining_result.cnames
        ),
        ttl_s=best.chaining_result.minimum_ttl,
        server=f"{best.nameserver}:{best.port}" if best.port != _DNS_PORT else str(best.nameserver),
        half="; ".join(odd),
    )


async def _records(
    resolver: dns.asyncresolver.Resolver, name: dns.name.Name, kind: str
) -> dns.resolver.Answer | Code:
    try:
        return await resolver.resolve(name, kind, search=False)
    except dns.exception.DNSException as error:
        failure = classify(error)
        return failure.code if failure else "server-failure"


def _texts(answer: dns.resolver.Answer | Code) -> tuple[str, ...]:
    return () if isinstance(answer, str) else tuple(record.to_text() for record in answer)


def _why(candidates: list[dns.name.Name], outcomes: list[_Outcome]) -> Failure:
    """The failure of a walk: that of the name as it was written, when it has a dot.

    A single label is nobody's full name, so there the worst of all outcomes speaks.
    """
    as_written = min(candidates, key=len).to_text(omit_final_dot=True)
    decisive = [o for o in outcomes if o.name == as_written and "." in as_written] or outcomes
    codes = [o.code for o in decisive]
    order: tuple[Code, ...] = (
        "resolver-timeout",
        "cname-loop",
        "server-failure",
        "query-refused",
        "no-address",
    )
    unknown: Code = "name-unknown"
    code = next((code for code in order if code in codes), unknown)
    return Failure(phase="resolve", code=code, detail="; ".join(_tried(outcomes)))


def _tried(outcomes: list[_Outcome]) -> tuple[str, ...]:
    return tuple(
        f"{o.name}: {o.code}" if o.code else f"{o.name} {o.half}"
        for o in outcomes
        if o.code or o.half
    )


def _answer(host: str, outcomes: list[_Outcome]) -> DnsAnswer:
    found = outcomes[-1]
    return DnsAnswer(
        name=host,
        ipv4=found.ipv4,
        ipv6=found.ipv6,
        cnames=found.cnames,
        canonical_name=found.name,
        resolver=found.server,
        tried=_tried(outcomes),
        ttl_s=found.ttl_s,
    )
