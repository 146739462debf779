"""Simulated clients of every version against control planes of every version."""

from __future__ import annotations

import re
import time

import pytest
from client_traces import age, records
from sim_worlds import (
    HOST,
    client,
    pod,
    stopped_clock,
    texts,
    world,
)

from keptn_doctor.lab.settings import (
    BackendSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    "version",
    [
        "0.8.7",
        "0.9.2",
        "0.10.0",
        "0.11.4",
        "0.12.7",
        "0.13.0",
        "0.13.6",
        "0.14.3",
        "0.15.1",
        "0.16.2",
        "0.18.2",
        "0.19.3",
        "1.0.0",
        "1.4.5",
    ],
)
async def test_a_healthy_client_of_every_version_is_registered_and_fresh(version):
    async with Simulation(world(version, client(version))) as lab:
        assert len(records(lab)) == 1
        assert age(lab) <= 10.5
        run = pod(lab)
        assert (run.container().state, run.container().restarts) == ("running", 0)
        assert any(
            f"Registered Keptn Integration with id {records(lab)[0].id}" in t for t in texts(run)
        )
        assert not any("level=error" in t or "level=warning" in t for t in texts(run))


async def test_a_control_plane_with_three_clients_starts_well_under_a_second():
    clients = (
        client("0.18.0"),
        client("0.18.0", name="jmeter-service"),
        client("0.20.4", name="job-executor-service", plane="exec-b", client="sdk"),
    )
    begin = time.perf_counter()
    async with Simulation(world("0.19.3", *clients)):
        assert time.perf_counter() - begin < 1.0


async def test_heartbeats_go_on_with_the_clock_and_nothing_else():
    settings = world("1.4.5", client("1.4.5"))
    async with Simulation(settings) as lab:
        now = lab.clock()
        record = records(lab)[0]
        later = record.last_seen(now.replace(year=now.year + 1))
        assert later > record.last_seen(now)


async def test_a_slow_backend_makes_some_heartbeats_fail():
    slow = BackendSettings(component="shipyard-controller", slow_ms=500, every=3)
    async with Simulation(world("1.4.5", client("0.13.6"), keptn={"backends": (slow,)})) as lab:
        failed = [t for t in texts(pod(lab)) if "Could not send heart beat" in t]
        assert failed
        assert pod(lab).container().restarts == 0


async def test_a_new_distributor_finds_no_ping_on_an_0_8_control_plane():
    async with Simulation(world("0.8.7", client("0.9.2"))) as lab:
        lines = texts(pod(lab))
        assert any("invalid character 'p' after top-level value" in t for t in lines)
        assert not any("/event/triggered/" in t for _, t in lab.gateways["keptn"].log)


async def test_a_control_plane_without_uniform_answers_404():
    async with Simulation(world("0.8.2", client("0.12.7"))) as lab:
        assert pod(lab).container().last.exit_code == 1
        assert any("404 page not found" in t for t in texts(pod(lab)))


async def test_out_of_memory_kills_leave_gaps_between_heartbeats():
    leaky = client("0.9.2", out_of_memory_every_s=120)
    async with Simulation(world("0.9.2", leaky)) as lab:
        last = pod(lab).container().last
        assert (last.exit_code, last.reason) == (137, "OOMKilled")
        assert pod(lab).container().restarts > 5


async def test_the_gateway_log_shows_each_heartbeat_of_a_shared_record():
    first = client("0.18.0", running_for_s=8000)
    second = client("0.18.0", plane="exec-b")
    async with Simulation(world("1.4.5", first, second), clock=stopped_clock()) as lab:
        pings = [(at, t) for at, t in lab.gateways["keptn"].log if "/ping HTTP" in t]
        window = [t for at, t in pings if (lab.clock() - at).total_seconds() < 60]
        assert 11 <= len(window) <= 13
        assert len({re.search("registration/([0-9a-f]+)/ping", t)[1] for t in window}) == 1
        assert len({t.split()[0] for t in window}) == 2


async def test_a_banner_shows_the_effective_endpoint_from_0_14():
    async with Simulation(world("1.4.5", client("0.16.2"))) as lab:
        lines = texts(pod(lab))
        assert "Remote execution plane..................true" in lines
        assert f"Keptn API endpoint......................http://{HOST}/api" in lines
        assert "lab-token" not in "\n".join(lines)
