"""What stands on a simulated client's way: a full disk, a firewall, redirects, proxies, names."""

from __future__ import annotations

import pytest
from client_traces import HTTPS, age, records
from sim_worlds import (
    ADDRESS,
    HOST,
    REGISTRATION,
    ask,
    changed,
    client,
    listener,
    pod,
    texts,
    with_public,
    world,
)

from keptn_doctor.lab.settings import (
    DnsRule,
    DnsSettings,
    DnsViewSettings,
    EgressRule,
    EgressSettings,
    FrontSettings,
    HopSettings,
    PlaneNetworkSettings,
    ProxySettings,
    StoreSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio


async def test_a_full_disk_stops_all_heartbeats_at_once():
    store = StoreSettings(mongodb="disk-full", mongodb_ago_s=1800)
    async with Simulation(world("1.4.5", client("0.13.6"), keptn={"store": store})) as lab:
        assert 1785 <= age(lab) <= 1815
        assert any("No space left on device" in t for t in texts(pod(lab)))


async def test_a_firewall_that_blocks_put_ends_the_process_every_two_minutes():
    front = FrontSettings(name="waf", product="waf", blocked_methods=("PUT",), blocked_status=403)
    settings = world("1.4.5", client("1.4.5"), fronts=(front,), listeners=(listener(serves="waf"),))
    async with Simulation(settings) as lab:
        run = pod(lab)
        assert len(records(lab)) == 1
        assert run.container().restarts > 10
        assert run.container().last.exit_code == 0
        before = [t for _, t in run.previous_log() or ()]
        assert any(
            "heart beat to control plane (retry count: 4/10): error with status code 403" in t
            for t in before
        )


@pytest.mark.parametrize(("status", "registers"), [(301, False), (302, False), (308, True)])
async def test_a_redirect_to_https_turns_a_registration_into_a_read(status, registers):
    front = FrontSettings(name="ingress", redirect_status=status)
    settings = world(
        "1.4.5",
        client("1.4.5"),
        fronts=(front,),
        listeners=(listener(serves="ingress"), listener(443, certificate="good", serves="ingress")),
    )
    async with Simulation(settings) as lab:
        assert bool(records(lab)) == registers
        text = (
            "json: cannot unmarshal array into Go value of type models.RegisterIntegrationResponse"
        )
        assert any(text in t for t in texts(pod(lab))) != registers


async def test_0_8_registers_over_http_whatever_the_endpoint_says():
    settings = world(
        "0.8.7",
        client("0.8.7", endpoint=HTTPS),
        listeners=(
            listener(443, certificate="good"),
            listener(hops=(HopSettings(behaviour="refuse"),)),
        ),
    )
    async with Simulation(settings) as lab:
        lines = texts(pod(lab))
        assert any(
            f'Post \\"http://{HOST}/api/controlPlane/v1/uniform/registration\\": dial tcp '
            f"{ADDRESS}:80: connect: connection refused" in t
            for t in lines
        )
        assert not any("Could not retrieve events" in t for t in lines)
        assert records(lab) == []


def _proxied(version: str, **more):
    plane = PlaneNetworkSettings(
        vantage="exec-a",
        egress=(EgressSettings(default="drop", allow=(EgressRule(cidr="10.0.0.9/32"),)),),
    )
    env = {"HTTPS_PROXY": "http://10.0.0.9:3128", "HTTP_PROXY": "http://10.0.0.9:3128"}
    return world(
        version,
        client(version, endpoint=HTTPS, env=env | more),
        planes=(plane,),
        proxies=(ProxySettings(name="squid"),),
        listeners=(
            listener(),
            listener(443, certificate="good"),
            listener(3128, address="10.0.0.9", serves="squid"),
        ),
    )


@pytest.mark.parametrize(
    ("version", "registered", "polls_fail"),
    [
        ("0.9.2", False, False),
        ("0.12.7", True, True),
        ("0.13.6", True, False),
        ("1.4.5", True, False),
    ],
)
async def test_an_egress_proxy_is_used_by_what_supports_it(version, registered, polls_fail):
    async with Simulation(_proxied(version)) as lab:
        assert bool(records(lab)) == registered
        failing = [t for t in texts(pod(lab)) if "Could not retrieve events" in t]
        assert bool(failing) == polls_fail


async def test_a_proxy_that_wants_a_password_is_named_in_the_error():
    settings = _proxied("1.4.5")
    settings = changed(settings, proxies=(ProxySettings(name="squid", needs_authentication=True),))
    async with Simulation(settings) as lab:
        assert any("Proxy Authentication Required" in t for t in texts(pod(lab)))


async def test_no_proxy_exempts_a_host():
    settings = _proxied("1.4.5", NO_PROXY=f".example.com,{HOST}")
    async with Simulation(settings) as lab:
        assert any(f"dial tcp {ADDRESS}:443" in t for t in texts(pod(lab)))


async def test_a_split_horizon_fails_inside_and_resolves_outside():
    dns = with_public()
    dns = DnsSettings(
        public=dns.public,
        views=(DnsViewSettings(vantage="exec-a", rules=(DnsRule(name=HOST, answer="nxdomain"),)),),
    )
    async with Simulation(world("1.4.5", client("1.4.5"), dns=dns)) as lab:
        assert any(f"lookup {HOST} on 10.96.0.10:53: no such host" in t for t in texts(pod(lab)))
        assert (await ask(lab, REGISTRATION)).status_code == 200
