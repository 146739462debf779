"""The gauges themselves: what they say of things whose measure is known."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest

from benchmarks.speed import page as page_module
from benchmarks.speed.critical_path import Step, limit_in_steps, schedule
from benchmarks.speed.page import PAGE, filled
from benchmarks.speed.relay import Relay
from benchmarks.speed.tables import Table

SPEED = Path(page_module.__file__).parent


def test_steps_that_need_each_other_add_up_and_others_do_not() -> None:
    chain = (Step(server="a", trips=2), Step(server="a", after=(0,)), Step(server="b", after=(1,)))
    aside = (*chain, Step(server="b"), Step(server="c", trips=3))
    assert schedule(chain, 1.0) == 4
    assert schedule(aside, 1.0) == 4


def test_at_most_five_steps_are_in_flight_at_one_server() -> None:
    eleven = tuple(Step(server="a") for _ in range(11))
    assert schedule(eleven, 1.0) == 3
    assert schedule((*eleven, *(Step(server="b") for _ in range(5))), 1.0) == 3


def test_what_the_servers_take_counts_once_for_each_step_of_the_chain() -> None:
    assert schedule((Step(server="a", busy_s=0.5), Step(server="a", after=(0,))), 1.0) == 2.5


def test_the_limit_of_a_run_follows_names_and_not_the_order_of_its_requests() -> None:
    pods = {"path": "/api/v1/pods", "verb": "list", "began": 0.0, "ended": 0.0}
    log = {**pods, "path": "/api/v1/namespaces/a/pods/b/log", "verb": "get"}
    tunnel = {**pods, "path": "/api/v1/namespaces/a/pods/b/portforward", "verb": "create"}
    report = {
        "served": {"east": [pods, log]}, "keptn": [], "connections": [], "endpoint": "http://k/api",
        "operator": "198.51.100.10",
    }  # fmt: skip
    assert limit_in_steps(report) == 4  # TCP, TLS, the list, the log
    assert limit_in_steps({**report, "served": {"east": [log, pods]}}) == 4
    assert limit_in_steps({**report, "served": {"east": [pods, tunnel, tunnel]}}) == 8


@pytest.mark.asyncio
async def test_a_relay_charges_a_round_trip_for_the_connection_and_one_for_each_answer() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    relay = Relay(round_trip_s=0.05)
    try:
        port = await relay.tcp(server.sockets[0].getsockname()[1], "echo")
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"ping")
            assert await reader.readexactly(4) == b"ping"
        took = time.monotonic() - began
        writer.close()
        await writer.wait_closed()
    finally:
        await relay.close()
        server.close()
    assert took >= 4 * 0.05
    (seen,) = relay.connections
    assert (seen.up, seen.down, seen.trips, seen.bare) == (12, 12, 3, False)


def test_tables_go_between_their_markers_and_prose_stays() -> None:
    text = "before\n<!-- measured: a -->\nold\n<!-- end -->\nafter\n"
    table = Table(name="a", header=("x",), rows=(("1",),))
    made = filled(text, [table])
    assert made == "before\n<!-- measured: a -->\n| x |\n| --- |\n| 1 |\n<!-- end -->\nafter\n"
    assert filled(made, [table]) == made
    with pytest.raises(ValueError, match="0 places"):
        filled("nothing here", [table])


def test_every_table_has_its_one_place_in_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    places = re.findall(r"<!-- measured: (\S+) -->", page)
    sources = "".join(file.read_text(encoding="utf-8") for file in SPEED.glob("*.py"))
    tables = re.findall(r'(?:Table\(\s*name=|_series\(\s*)"(\S+)"', sources)
    assert sorted(places) == sorted([*tables, "when"])
    assert page.count("<!-- end -->") == len(places)
