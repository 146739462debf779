"""The lab's name servers, asked with real packets, and the resolvers inside its pods."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from keptn_doctor.lab.clients.go_errors import GoError
from keptn_doctor.lab.clients.go_resolver import Resolver
from keptn_doctor.lab.network.dns import NameServer
from keptn_doctor.lab.settings import DnsRecord, DnsRule, DnsSettings, DnsViewSettings

pytestmark = pytest.mark.asyncio

PUBLIC = (
    DnsRecord(name="keptn.example.com", values=("203.0.113.20",), ttl=60),
    DnsRecord(name="six.example.com", type="AAAA", values=("2001:db8::20",)),
    DnsRecord(name="www.example.com", type="CNAME", values=("lb.example.com",)),
    DnsRecord(name="lb.example.com", type="CNAME", values=("keptn.example.com",)),
    DnsRecord(name="*.apps.example.com", values=("203.0.113.30",)),
    DnsRecord(name="big.example.com", values=tuple(f"203.0.113.{i}" for i in range(1, 200))),
)


@asynccontextmanager
async def serving(*rules: DnsRule, records: tuple[DnsRecord, ...] = (), **view):
    settings = DnsSettings(
        public=PUBLIC,
        views=(DnsViewSettings(vantage="exec-a", rules=rules, records=records, **view),),
    )
    server = NameServer(settings, "exec-a")
    await server.start()
    try:
        yield server
    finally:
        await server.close()


async def udp(server: NameServer, name: str, rdtype: str = "A", *, patience_s: float = 10):
    query = dns.message.make_query(name, rdtype)
    return await dns.asyncquery.udp(query, "127.0.0.1", port=server.port, timeout=patience_s)


def addresses(reply) -> list[str]:
    return [r.to_text() for rrset in reply.answer for r in rrset if rrset.rdtype in (1, 28)]


async def test_a_record_comes_with_its_address_and_time_to_live():
    async with serving() as server:
        reply = await udp(server, "keptn.example.com.")
        assert addresses(reply) == ["203.0.113.20"]
        assert reply.answer[0].ttl == 60


async def test_a_chain_of_aliases_is_answered_in_order():
    async with serving() as server:
        reply = await udp(server, "WWW.example.com.")
        assert [rrset.rdtype for rrset in reply.answer] == [5, 5, 1]
        assert addresses(reply) == ["203.0.113.20"]


async def test_an_unknown_name_does_not_exist_and_a_missing_type_is_empty():
    async with serving() as server:
        assert (await udp(server, "ketpn.example.com.")).rcode() == dns.rcode.NXDOMAIN
        empty = await udp(server, "six.example.com.")
        assert (empty.rcode(), empty.answer) == (dns.rcode.NOERROR, [])
        assert addresses(await udp(server, "six.example.com.", "AAAA")) == ["2001:db8::20"]


async def test_a_wildcard_covers_names_below_it():
    async with serving() as server:
        assert addresses(await udp(server, "a.b.apps.example.com.")) == ["203.0.113.30"]


@pytest.mark.parametrize(
    ("answer", "rcode"),
    [
        ("servfail", dns.rcode.SERVFAIL),
        ("refused", dns.rcode.REFUSED),
        ("nxdomain", dns.rcode.NXDOMAIN),
        ("nodata", dns.rcode.NOERROR),
    ],
)
async def test_a_rule_decides_before_the_records(answer, rcode):
    async with serving(DnsRule(name="*.example.com", answer=answer)) as server:
        reply = await udp(server, "keptn.example.com.")
        assert (reply.rcode(), addresses(reply)) == (rcode, [])


async def test_a_dropped_query_gets_no_answer():
    async with serving(DnsRule(answer="drop")) as server:
        with pytest.raises(dns.exception.Timeout):
            await udp(server, "keptn.example.com.", patience_s=0.4)


async def test_a_truncated_answer_is_whole_over_tcp():
    async with serving(DnsRule(name="big.*", answer="truncate")) as server:
        short = await udp(server, "big.example.com.")
        assert short.flags & dns.flags.TC
        query = dns.message.make_query("big.example.com.", "A")
        whole = await dns.asyncquery.tcp(query, "127.0.0.1", port=server.port, timeout=1)
        assert len(addresses(whole)) == 199


async def test_a_loop_of_aliases_never_ends_in_an_address():
    async with serving(DnsRule(name="keptn.*", answer="loop")) as server:
        reply = await udp(server, "keptn.example.com.")
        assert addresses(reply) == []
        targets = {str(rrset[0].target) for rrset in reply.answer}
        assert "keptn.example.com." in targets


async def test_a_view_hides_the_public_record():
    own = (DnsRecord(name="keptn.example.com", values=("10.20.0.8",)),)
    async with serving(records=own) as server:
        assert addresses(await udp(server, "keptn.example.com.")) == ["10.20.0.8"]


async def test_a_private_view_knows_nothing_public():
    async with serving(sees_public=False) as server:
        assert (await udp(server, "keptn.example.com.")).rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize(
    "name",
    [
        "203.0.113.7.nip.io.",
        "keptn.203.0.113.7.nip.io.",
        "keptn-203-0-113-7.nip.io.",
    ],
)
async def test_nip_io_names_spell_their_address(name):
    async with serving() as server:
        assert addresses(await udp(server, name)) == ["203.0.113.7"]


async def test_a_server_that_refuses_has_no_socket():
    async with serving(server="refuse") as server:
        with pytest.raises((ConnectionRefusedError, dns.exception.Timeout)):
            await udp(server, "keptn.example.com.", patience_s=0.4)


def _resolver(server: NameServer, **more) -> Resolver:
    return Resolver(server=server, namespace="keptn-exec", **more)


async def test_a_pod_walks_its_search_list_and_ends_at_the_name_itself():
    async with serving() as server:
        resolver = _resolver(server)
        assert (
            resolver.names("keptn.example.com")[0]
            == "keptn.example.com.keptn-exec.svc.cluster.local"
        )
        assert await resolver.addresses("keptn.example.com") == ("203.0.113.20",)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (DnsRule(answer="nxdomain"), "lookup keptn.example.com on 10.96.0.10:53: no such host"),
        (
            DnsRule(answer="servfail"),
            "lookup keptn.example.com on 10.96.0.10:53: server misbehaving",
        ),
        (
            DnsRule(answer="refused"),
            "lookup keptn.example.com on 10.96.0.10:53: server misbehaving",
        ),
        (DnsRule(answer="loop"), "lookup keptn.example.com on 10.96.0.10:53: no such host"),
    ],
)
async def test_a_go_client_names_the_server_and_the_kind_of_failure(rule, text):
    async with serving(rule) as server:
        with pytest.raises(GoError) as raised:
            await _resolver(server).addresses("keptn.example.com")
        assert raised.value.text == text


async def test_a_silent_name_server_is_a_time_out_on_the_lookup():
    async with serving(server="drop") as server:
        with pytest.raises(GoError, match=r"lookup k\.x on 10\.96\.0\.10:53: read udp .*i/o timeo"):
            await _resolver(server).addresses("k.x")


async def test_a_search_domain_that_fails_stops_musl_but_not_go():
    trap = DnsRule(name="*.corp.local", answer="servfail")
    async with serving(trap, search=("corp.local",)) as server:
        go = _resolver(server)
        assert await go.addresses("keptn.example.com") == ("203.0.113.20",)
        with pytest.raises(GoError, match=r"lookup keptn\.example\.com: Try again"):
            await _resolver(server, kind="musl").addresses("keptn.example.com")
        assert await _resolver(server, kind="musl").addresses("keptn.example.com.") == (
            "203.0.113.20",
        )


async def test_a_policy_that_blocks_port_53_looks_like_a_silent_server():
    async with serving() as server:
        with pytest.raises(GoError, match="i/o timeout"):
            await _resolver(server, reachable="drop").addresses("keptn.example.com")


async def test_many_queries_at_once_are_all_answered():
    async with serving() as server:
        replies = await asyncio.gather(*(udp(server, "keptn.example.com.") for _ in range(50)))
        assert all(addresses(r) == ["203.0.113.20"] for r in replies)
