"""What a run asks of each API server: requests, bytes, how many at once, what is asked twice.

Requests and answers are counted where they arrive. "At once" is seen with the doctor's eyes: over
a distance of 50 ms each request is open from half a round trip before the server has it until half
a round trip after its answer. Port-forwards, which stay open, are counted apart.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from benchmarks.speed.processes import check, lab
from benchmarks.speed.tables import Table, met, times
from benchmarks.speed.worlds import RETRY_AFTER_S

AT_ONCE = 5
_DISTANCE_MS = 50.0
_PAGING = {"limit", "continue"}
_SIZES = (("3 services in 2 planes", {"planes": 2, "services": 3, "pods": 200}),
          ("40 services in 2 planes", {"planes": 2, "services": 40, "pods": 200}),
          ("10,000 pods in 2 planes", {"planes": 2, "services": 3, "pods": 10_000}))  # fmt: skip
Request = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One API server's part in a run."""

    requests: int
    bytes: int  # of answers' bodies
    at_once: int
    tunnels: int
    lists: int
    paged: int  # lists with a limit, of ``lists``
    repeated: int  # lists that were made again
    within: int  # lists of one namespace, after one of the whole cluster without a filter
    wide: int  # lists of the whole cluster
    filtered: int  # of those, with a selector
    logs: int
    bounded: int  # logs with a limit, of ``logs``


def measure() -> Iterator[Table]:
    rows = []
    for title, size in _SIZES:
        with lab(**size) as running:
            running.reset(round_trip_ms=_DISTANCE_MS)
            check(running)
            report = running.report()
        rows += [
            _row(title, context, load_of(report["served"][context]))
            for context in ("keptn-cp", "plane-000")
        ]
    header = (
        "world", "API server", "requests", "bytes", "at once", "target", "port-forwards",
        "lists (paged)", "made twice", "within another", "of the whole cluster (filtered)",
        "logs (bounded)",
    )  # fmt: skip
    yield Table(name="server-load", header=header, rows=tuple(rows))
    yield _patience()


def _row(title: str, context: str, load: Load) -> tuple[str, ...]:
    return (
        title, context, str(load.requests), f"{load.bytes:,}", str(load.at_once),
        f"at most {AT_ONCE}: {met(load.at_once, AT_ONCE)}", str(load.tunnels),
        f"{load.lists} ({load.paged})", f"{load.repeated}: {met(load.repeated, 0)}",
        str(load.within), f"{load.wide} ({load.filtered})", f"{load.logs} ({load.bounded})",
    )  # fmt: skip


def load_of(served: Iterable[Request], *, distance_ms: float = _DISTANCE_MS) -> Load:
    """The load in the requests that one API server answered."""
    everything = list(served)
    tunnels = [r for r in everything if r["path"].endswith("/portforward")]
    plain = [r for r in everything if r not in tunnels]
    lists = [r for r in plain if r["verb"] == "list"]
    wide = [r for r in lists if "/namespaces/" not in r["path"]]
    logs = [r for r in plain if r["path"].endswith("/log")]
    return Load(
        requests=len(plain),
        bytes=sum(r["size"] for r in plain),
        at_once=at_once(plain, distance_ms=distance_ms),
        tunnels=len(tunnels),
        lists=len(lists),
        paged=sum("limit" in _query(r) for r in lists),
        repeated=sum(count - 1 for count in Counter(map(what_is_listed, lists)).values()),
        within=_within(lists),
        wide=len(wide),
        filtered=sum(bool({"labelSelector", "fieldSelector"} & set(_query(r))) for r in wide),
        logs=len(logs),
        bounded=sum(bool({"tailLines", "limitBytes", "sinceSeconds"} & set(_query(r)))
                    for r in logs),
    )  # fmt: skip


def what_is_listed(request: Request) -> str:
    """The list a request belongs to, or the page of one: two that are equal ask the same twice."""
    query = _query(request)
    kept = sorted((k, v) for k, v in query.items() if k != "limit")
    return f"{request['path']} {kept}"


def at_once(served: Iterable[Request], *, distance_ms: float) -> int:
    """The most requests that were open at one moment."""
    half = max(distance_ms / 2000 - 0.001, 0)  # a millisecond for what clocks and loops do
    moments = []
    for request in served:
        moments += [(request["began"] - half, 1), (request["ended"] + half, -1)]
    most = now = 0
    for _, step in sorted(moments):
        now += step
        most = max(most, now)
    return most


def _within(lists: list[Request]) -> int:
    """Lists of a namespace whose kind was listed for the whole cluster, and not filtered."""
    wide = {
        r["path"].rpartition("/")[2]
        for r in lists
        if "/namespaces/" not in r["path"] and not set(_query(r)) - _PAGING
    }
    return sum("/namespaces/" in r["path"] and r["path"].rpartition("/")[2] in wide for r in lists)


def _query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request["query"], keep_blank_values=True))


def _patience() -> Table:
    """A server that answers 429 once: how long it is left in peace, and what comes of it."""
    size = {"planes": 2, "services": 4, "busy": 1}
    with lab(**size) as running:
        running.reset()
        run = check(running, outputs=("json",))
        report = running.report()
    again = patience_s(report, "plane-000")
    verdicts = [v["connection"] for v in json.loads(run.files["json"])["verdicts"]]
    row = (
        f"429, Retry-After: {RETRY_AFTER_S:g}", f"{again:.2f} s",
        times(again / RETRY_AFTER_S),
        f"at least 1x: {met(again, RETRY_AFTER_S, at_least=True)}",
        f"{verdicts.count('connected')} of {len(verdicts)} connected",
    )  # fmt: skip
    header = ("the API server says", "asked again after", "of what it wished", "target", "verdicts")
    return Table(name="server-patience", header=header, rows=(row,))


def patience_s(report: dict[str, Any], context: str) -> float:
    """Seconds between a refused request and the next one for the same; 0 when there was none."""
    path, refused = report["hit"][context][0]
    again = [r["began"] for r in report["served"][context] if r["path"] == path]
    return min(again) - refused if again else 0.0
