"""Name servers of the lab: one per vantage, with its own view of the world.

Real packets over UDP and TCP on the loopback (dnspython). A view is the public records, its own
records before them, and rules that break some or all answers. Search lists and ndots belong to the
clients; a rule on a search domain is how a search list becomes a trap.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import struct
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatch

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from keptn_doctor.lab.network.loopback import LOOPBACK
from keptn_doctor.lab.settings import DnsRecord, DnsRule, DnsSettings, DnsViewSettings

_CHAIN = 12  # CNAMEs followed; resolvers give up about there
_TCP_IDLE_S = 10.0
_BIND_ATTEMPTS = 5
_LOOP_HOST = "loop-{side}.{name}"


def view_of(settings: DnsSettings, vantage: str) -> DnsViewSettings:
    """The view of a vantage; a healthy one when the scenario says nothing."""
    found = next((v for v in settings.views if v.vantage == vantage), None)
    return found or DnsViewSettings(vantage=vantage)


def nip_io_address(name: str) -> str:
    """The address that a nip.io or sslip.io style name spells; "" when it spells none."""
    if not name.endswith((".nip.io", ".sslip.io", ".xip.io")):
        return ""
    labels = name.split(".")
    tail = ".".join(labels[-6:-2]), labels[-3].rpartition(".")[2]
    for text in (tail[0], *("-".join(tail[1].split("-")[-4:]).replace("-", "."),)):
        try:
            return str(ipaddress.IPv4Address(text))
        except ValueError:
            continue
    return ""


class Zone:
    """The answers of one view, without sockets: what a name and type give, and how."""

    def __init__(self, settings: DnsSettings, view: DnsViewSettings) -> None:
        self._view = view
        self._nip_io = settings.nip_io
        self._records = (*view.records, *(settings.public if view.sees_public else ()))
        self._counts: defaultdict[DnsRule, Iterator[int]] = defaultdict(lambda: itertools.count(1))

    def rule(self, name: str, rdtype: str) -> DnsRule:
        """The first rule that matches a query and is due."""
        for rule in self._view.rules:
            if not fnmatch(name, rule.name.rstrip(".").lower()):
                continue
            if rule.types and rdtype not in rule.types:
                continue
            if next(self._counts[rule]) % rule.every == 0:
                return rule
        return DnsRule()

    def records(self, name: str) -> tuple[DnsRecord, ...]:
        """All record sets of an owner, wildcards included; the nearest wildcard wins."""
        exact = tuple(r for r in self._records if _owner(r) == name)
        if exact:
            return _first_of_each_type(exact)
        labels = name.split(".")
        for cut in range(1, len(labels)):
            wildcard = "*." + ".".join(labels[cut:])
            found = tuple(r for r in self._records if _owner(r) == wildcard)
            if found:
                return _first_of_each_type(found)
        address = nip_io_address(name) if self._nip_io and self._view.sees_public else ""
        return (DnsRecord(name=name, values=(address,)),) if address else ()

    def answer(self, query: dns.message.Message) -> dns.message.Message | None:
        """The response to a query; None for none at all."""
        response = dns.message.make_response(query, recursion_available=True)
        if not query.question:
            response.set_rcode(dns.rcode.FORMERR)
            return response
        question = query.question[0]
        name = question.name.to_text().rstrip(".").lower()
        rdtype = dns.rdatatype.to_text(question.rdtype)
        match self.rule(name, rdtype).answer:
            case "drop":
                return None
            case "servfail":
                response.set_rcode(dns.rcode.SERVFAIL)
            case "refused":
                response.set_rcode(dns.rcode.REFUSED)
            case "nxdomain":
                response.set_rcode(dns.rcode.NXDOMAIN)
            case "nodata":
                pass
            case "loop":
                self._add_loop(response, name)
            case _:
                self._fill(response, name, rdtype)
        return response

    def _add_loop(self, response: dns.message.Message, name: str) -> None:
        owners = [name, *(_LOOP_HOST.format(side=side, name=name) for side in "ab")]
        for owner, target in zip(owners, (*owners[1:], name), strict=True):
            response.answer.append(_rrset(owner, 60, "CNAME", (target,)))

    def _fill(self, response: dns.message.Message, name: str, rdtype: str) -> None:
        owner = name
        for _ in range(_CHAIN):
            found = self.records(owner)
            if not found:
                response.set_rcode(dns.rcode.NXDOMAIN)
                return
            wanted = next((r for r in found if r.type == rdtype), None)
            if wanted is not None:
                response.answer.append(_rrset(owner, wanted.ttl, rdtype, wanted.values))
                return
            alias = next((r for r in found if r.type == "CNAME"), None)
            if alias is None:
                return
            response.answer.append(_rrset(owner, alias.ttl, "CNAME", alias.values[:1]))
            owner = alias.values[0].rstrip(".").lower()
        response.set_rcode(dns.rcode.SERVFAIL)


def _owner(record: DnsRecord) -> str:
    return record.name.rstrip(".").lower()


def _first_of_each_type(records: tuple[DnsRecord, ...]) -> tuple[DnsRecord, ...]:
    """A view's own record set hides the public one of the same type."""
    return tuple({r.type: r for r in reversed(records)}.values())


def _rrset(owner: str, ttl: int, rdtype: str, values: tuple[str, ...]) -> dns.rrset.RRset:
    absolute = [v if rdtype != "CNAME" else v.rstrip(".") + "." for v in values]
    return dns.rrset.from_text_list(owner.rstrip(".") + ".", ttl, "IN", rdtype, absolute)


class NameServer:
    """One view on a UDP and a TCP socket of the same loopback port."""

    def __init__(self, settings: DnsSettings, vantage: str) -> None:
        self.view = view_of(settings, vantage)
        self._zone = Zone(settings, self.view)
        self._transport: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def address(self) -> str:
        """``host:port``, as the doctor's ``nameservers`` setting takes it."""
        return f"{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Bind; a name server that refuses keeps its port but has no socket on it."""
        for attempt in range(_BIND_ATTEMPTS):
            self._tcp = await asyncio.start_server(self._serve_tcp, LOOPBACK, 0)
            self.port = self._tcp.sockets[0].getsockname()[1]
            if self.view.server == "refuse":
                self._tcp.close()
                return
            try:
                self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: _Udp(self), local_addr=(LOOPBACK, self.port)
                )
            except OSError:  # the UDP port of that number belongs to somebody else
                self._tcp.close()
                if attempt == _BIND_ATTEMPTS - 1:
                    raise
            else:
                return

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        if self._tcp is not None:
            self._tcp.close()
        for writer in self._writers:
            writer.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    def received(self, data: bytes, peer: tuple[str, int]) -> None:
        task = asyncio.get_running_loop().create_task(self._answer_udp(data, peer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_udp(self, data: bytes, peer: tuple[str, int]) -> None:
        reply = await self._reply(data, udp=True)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, peer)

    async def _reply(self, data: bytes, *, udp: bool) -> bytes | None:
        if self.view.server == "drop":
            return None
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None
        question = query.question[0] if query.question else None
        # An RRset without records is false, so "if question" would miss every query.
        name = "" if question is None else question.name.to_text().rstrip(".").lower()
        rule = self._delay_rule(name)
        if rule.delay_ms:
            await asyncio.sleep(rule.delay_ms / 1000)
        if rule.answer == "garbage":
            return b"\x00\x01garbage"
        response = self._zone.answer(query)
        if response is None:
            return None
        if udp and rule.answer == "truncate":
            response.answer.clear()
            response.flags |= dns.flags.TC
        return response.to_wire()

    def _delay_rule(self, name: str) -> DnsRule:
        for rule in self.view.rules:
            if fnmatch(name, rule.name.rstrip(".").lower()):
                return rule
        return DnsRule()

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            async with asyncio.timeout(_TCP_IDLE_S):
                while True:
                    (size,) = struct.unpack("!H", await reader.readexactly(2))
                    reply = await self._reply(await reader.readexactly(size), udp=False)
                    if reply is None:
                        continue
                    writer.write(struct.pack("!H", len(reply)) + reply)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.received(data, addr)
