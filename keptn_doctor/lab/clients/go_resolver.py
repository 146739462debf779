"""Name resolution inside a pod of the lab: resolv.conf, search list, and the resolver's quirks.

Sends real queries to the name server of the pod's plane. ``go`` walks the whole search list and
prefers the error of the name as given; ``musl`` (through cgo) stops at the first server failure.
Sources: Go ``net/dnsclient_unix.go``, musl ``src/network/lookup_name.c``.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from keptn_doctor.lab.clients.go_errors import GoError
from keptn_doctor.lab.clients.patience import patiently
from keptn_doctor.lab.network.dns import NameServer
from keptn_doctor.lab.network.loopback import LOOPBACK

_WAIT_S = 0.25  # an answer of the lab takes a few milliseconds
_NEVER_S = 30.0  # the wait ends before
_TIMEOUT_S = 20.0  # what Go spends on a name server that is silent: 2 attempts, A and AAAA
_EPHEMERAL = 41532

Asked = tuple[str, str, str, str]  # kind of resolver, port 53, namespace, host
Resolved = tuple[tuple[str, ...], str]  # addresses, or how it failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """The resolver of one pod."""

    server: NameServer
    namespace: str
    pod_ip: str = "10.1.0.10"
    kind: Literal["go", "musl"] = "go"
    reachable: Literal["allow", "drop", "refuse"] = "allow"  # what an egress policy does to port 53
    remembered: dict[Asked, Resolved] | None = None  # shared by the pods of a plane; None = never

    @property
    def search(self) -> tuple[str, ...]:
        """The cluster's own search list, then what the node's resolv.conf adds."""
        return (
            f"{self.namespace}.svc.cluster.local",
            "svc.cluster.local",
            "cluster.local",
            *self.server.view.search,
        )

    def names(self, host: str) -> tuple[str, ...]:
        """The absolute names that are tried, in order."""
        if host.endswith("."):
            return (host.rstrip("."),)
        searched = tuple(f"{host}.{domain}" for domain in self.search)
        if host.count(".") >= self.server.view.ndots:
            return (host,) if self.kind == "musl" else (host, *searched)
        return (*searched, host)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """IPv4 and IPv6 addresses of a name or address.

        Raises:
            GoError: with the text that the client logs after ``dial tcp: ``.
        """
        try:
            return (str(ipaddress.ip_address(host.strip("[]"))),)
        except ValueError:
            pass
        key = (self.kind, self.reachable, self.namespace, host)
        known = self.remembered.get(key) if self.remembered is not None else None
        found, problem = known or await self._walk(host)
        if self.remembered is not None:
            self.remembered[key] = (found, problem)
        if not found:
            raise self._error(host, problem)
        return found

    async def _walk(self, host: str) -> Resolved:
        """Try the names of the search list; the addresses, or the failure to report."""
        problem = ""
        for name in self.names(host):
            found, failure = await self._lookup(name)
            if found:
                return found, ""
            if failure == "SERVFAIL" and self.kind == "musl":
                return (), failure
            if not problem or name == host.rstrip("."):
                problem = failure
        return (), problem

    def _error(self, host: str, problem: str) -> GoError:
        if self.kind == "musl":
            text = "Try again" if problem != "NXDOMAIN" else "no such host"
            return GoError(f"lookup {host}: {text}", 0.1)
        server = f"{self.server.view.nameserver}:53"
        where = f"lookup {host} on {server}"
        read = f"read udp {self.pod_ip}:{_EPHEMERAL}->{server}"
        match problem:
            case "TIMEOUT":
                return GoError(f"{where}: {read}: i/o timeout", _TIMEOUT_S)
            case "REFUSED-PORT":
                return GoError(f"{where}: {read}: read: connection refused", 0.1)
            case "SERVFAIL":
                return GoError(f"{where}: server misbehaving", 0.1)
            case _:
                return GoError(f"{where}: no such host", 0.1)

    async def _lookup(self, name: str) -> tuple[tuple[str, ...], str]:
        """Addresses, or the kind of failure."""
        if self.reachable == "drop" or self.server.view.server == "drop":
            return (), "TIMEOUT"
        if self.reachable == "refuse" or self.server.view.server == "refuse":
            return (), "REFUSED-PORT"
        found: list[str] = []
        for rdtype in ("A", "AAAA"):
            reply = await self._query(name, rdtype)
            if isinstance(reply, str):
                return (), reply
            found += [
                rdata.to_text()
                for rrset in reply.answer
                for rdata in rrset
                if rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)
            ]
        return tuple(found), "NXDOMAIN"

    async def _query(self, name: str, rdtype: str) -> dns.message.Message | str:
        try:
            query = dns.message.make_query(name + ".", rdtype)
        except dns.exception.DNSException:
            return "NXDOMAIN"
        try:
            reply = await patiently(self._ask(query), _WAIT_S)
        except (TimeoutError, dns.exception.DNSException):
            return "TIMEOUT"
        except OSError:
            return "REFUSED-PORT"
        if reply.rcode() == dns.rcode.NXDOMAIN:
            return "NXDOMAIN"
        if reply.rcode() != dns.rcode.NOERROR:
            return "SERVFAIL"
        return reply

    async def _ask(self, query: dns.message.Message) -> dns.message.Message:
        port = self.server.port
        reply = await dns.asyncquery.udp(query, LOOPBACK, timeout=_NEVER_S, port=port)
        if reply.flags & dns.flags.TC:
            return await dns.asyncquery.tcp(query, LOOPBACK, timeout=_NEVER_S, port=port)
        return reply
