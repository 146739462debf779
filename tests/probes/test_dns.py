"""The resolve rung: each way in which a name can fail has its code, and the search list shows."""

from __future__ import annotations

import pytest

from keptn_doctor.network_settings import NetworkSettings
from keptn_doctor.probes.dns import look_up
from keptn_doctor.probes.failures import WorldFault

from .conftest import Zone

pytestmark = pytest.mark.asyncio


async def code(name: str, settings: NetworkSettings, deadline_s: float = 2) -> tuple[str, str]:
    with pytest.raises(WorldFault) as caught:
        await look_up(name, settings, deadline_s=deadline_s)
    return caught.value.failure.phase, caught.value.failure.code


async def test_both_families_and_the_alias_chain_are_seen(zone: Zone) -> None:
    zone.records = [
        "www.example.com. 60 IN CNAME lb.example.com.",
        "lb.example.com. 300 IN CNAME real.example.com.",
        "real.example.com. 20 IN A 192.0.2.1",
        "real.example.com. 20 IN AAAA 2001:db8::1",
    ]
    seen = await look_up("www.example.com", zone.settings(), deadline_s=2)
    assert (seen.ipv4, seen.ipv6) == (("192.0.2.1",), ("2001:db8::1",))
    assert seen.cnames == ("lb.example.com", "real.example.com")
    assert (seen.canonical_name, seen.ttl_s, seen.tried) == ("www.example.com", 20, ())
    assert seen.resolver == zone.server


async def test_a_name_with_only_one_family_is_found(zone: Zone) -> None:
    zone.records = ["six.example.com. 60 IN AAAA 2001:db8::1"]
    seen = await look_up("six.example.com", zone.settings(), deadline_s=2)
    assert (seen.ipv4, seen.addresses) == ((), ("2001:db8::1",))


async def test_the_search_list_is_walked_and_recorded(zone: Zone) -> None:
    zone.records = ["gateway.keptn.svc.cluster.local. 5 IN A 10.0.0.1"]
    settings = zone.settings(
        search=("team.svc.cluster.local", "svc.cluster.local", "cluster.local"), ndots=5
    )
    seen = await look_up("gateway.keptn", settings, deadline_s=2)
    assert seen.canonical_name == "gateway.keptn.svc.cluster.local"
    assert seen.tried == ("gateway.keptn.team.svc.cluster.local: name-unknown",)


async def test_ndots_decides_whether_a_name_is_asked_as_it_is_first(zone: Zone) -> None:
    zone.records = ["a.example.com. 5 IN A 10.0.0.1"]
    await look_up("a.example.com", zone.settings(search=("x.org",), ndots=1), deadline_s=2)
    assert sorted(zone.queries) == ["a.example.com A", "a.example.com AAAA"]
    zone.queries.clear()
    await look_up("a.example.com", zone.settings(search=("x.org",), ndots=5), deadline_s=2)
    assert "a.example.com.x.org A" in zone.queries


async def test_a_final_dot_means_no_search(zone: Zone) -> None:
    settings = zone.settings(search=("x.org",))
    assert await code("a.example.com.", settings) == ("resolve", "name-unknown")
    assert not [query for query in zone.queries if "x.org" in query]


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("nxdomain", "name-unknown"),
        ("servfail", "server-failure"),
        ("refused", "query-refused"),
        ("drop", "resolver-timeout"),
        ("garbage", "resolver-timeout"),
    ],
)
async def test_what_the_server_does_has_its_own_code(
    behaviour: str, expected: str, zone: Zone
) -> None:
    zone.behaviour["*"] = behaviour
    deadline_s = 0.1 if expected == "resolver-timeout" else 2
    assert await code("a.example.com", zone.settings(), deadline_s) == ("resolve", expected)


async def test_a_name_without_addresses_is_not_an_unknown_name(zone: Zone) -> None:
    zone.records = ["text.example.com. 60 IN TXT hello"]
    assert await code("text.example.com", zone.settings()) == ("resolve", "no-address")


async def test_an_alias_to_nothing_is_an_unknown_name(zone: Zone) -> None:
    zone.records = ["old.example.com. 60 IN CNAME gone.example.com."]
    assert await code("old.example.com", zone.settings()) == ("resolve", "name-unknown")


async def test_aliases_in_a_circle_are_a_loop(zone: Zone) -> None:
    zone.records = [
        "a.example.com. 60 IN CNAME b.example.com.",
        "b.example.com. 60 IN CNAME a.example.com.",
    ]
    assert await code("a.example.com", zone.settings()) == ("resolve", "cname-loop")


async def test_the_failure_is_that_of_the_name_as_written(zone: Zone) -> None:
    zone.behaviour["a.example.com.corp.example"] = "servfail"
    settings = zone.settings(search=("corp.example",))
    assert await code("a.example.com", settings) == ("resolve", "name-unknown")
    zone.behaviour["gateway.corp.example"] = "servfail"
    assert await code("gateway", settings) == ("resolve", "server-failure")


async def test_a_server_that_chokes_on_aaaa_is_noted_and_forgiven(zone: Zone) -> None:
    zone.records = ["a.example.com. 60 IN A 192.0.2.1"]
    zone.behaviour["a.example.com AAAA"] = "servfail"
    seen = await look_up("a.example.com", zone.settings(), deadline_s=2)
    assert seen.addresses == ("192.0.2.1",)
    assert seen.tried == ("a.example.com AAAA: server-failure",)


@pytest.mark.parametrize(
    ("host", "address"),
    [("192.0.2.7", "192.0.2.7"), ("[2001:db8::7]", "2001:db8::7"), ("::1", "::1")],
)
async def test_an_address_needs_no_server(host: str, address: str, zone: Zone) -> None:
    seen = await look_up(host, zone.settings(), deadline_s=2)
    assert (seen.literal, seen.addresses, zone.queries) == (True, (address,), [])


@pytest.mark.parametrize(
    "host", ["", "a..b", "x" * 64, "a b", "user@host", ".".join(["x" * 60] * 5), "\u2028.com"]
)
async def test_a_host_that_cannot_be_a_name_is_invalid(host: str, zone: Zone) -> None:
    assert await code(host, zone.settings()) == ("resolve", "name-invalid")
    assert zone.queries == []


async def test_localhost_is_the_systems_matter(zone: Zone) -> None:
    for settings in (zone.settings(), NetworkSettings()):
        seen = await look_up("localhost", settings, deadline_s=2)
        assert "127.0.0.1" in seen.addresses or "::1" in seen.addresses
    assert zone.queries == []


async def test_a_name_server_that_is_no_address_is_told() -> None:
    settings = NetworkSettings(nameservers=("dns.example.com",))
    assert await code("a.example.com", settings) == ("resolve", "resolver-missing")


async def test_an_unreachable_name_server_gives_no_answer() -> None:
    settings = NetworkSettings(nameservers=("127.0.0.1:9",))
    assert await code("a.example.com", settings, 0.3) == ("resolve", "resolver-timeout")
