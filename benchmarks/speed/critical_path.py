"""The least time in which the requests of a run could be answered, and the time it took.

The limit is computed from the requests that the lab saw. It knows only what the protocols and the
data demand:

- a connection costs a round trip for TCP and one for TLS 1.3; connections stay open;
- a round trip is what a client that does nothing else waits for the shortest answer over the same
  wire: the distance, and a millisecond or two for relay and loopback;
- a request costs one round trip and the time that the server took for its answer, and it can be
  sent as soon as every name in it has been read:

  ========================================  ====================================================
  Kubernetes, a whole cluster's list         nothing: the kubeconfig is enough
  Kubernetes, anything by name or namespace  one list of that cluster
  DNS of an endpoint                         one list of a cluster (the variables of a container)
  Keptn without a token                      DNS, TCP and TLS to the endpoint
  Keptn, the first request with the token    the Secret as well
  Keptn, the others with the token           that first one: a refused token is tried once only
  Keptn, by project or event type            a listing
  through a port-forward                     TCP, TLS and the upgrade on a connection of its own
  ========================================  ====================================================

- at most five requests are in flight at one server at a time, the doctor's promise to API servers,
  and two with the token: Keptn's limiter takes a turn of its burst of two before it checks the
  token (``api/middleware/ratelimiter.go@0.13.4``), and would refuse a third for its company.

A greedy schedule of these requests gives the limit. What the doctor decides from answers, and in
which order it prefers to look, is not in it: a needless wait shows. Needless requests do not (they
make the limit longer); ``server_load`` and the regression guard count those.
"""

from __future__ import annotations

import asyncio
import heapq
import re
import socket
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from benchmarks.speed.lock_step import in_lock_step
from benchmarks.speed.processes import LabProcess, Run, check, lab
from benchmarks.speed.start_up import first_byte
from benchmarks.speed.tables import Table, met, ms, times
from benchmarks.speed.worlds import Size

TARGET = 1.3
DISTANCES_MS = (20, 50, 200)
_COUNTED = (("3 services in 2 planes", Size(planes=2, services=3)),
            ("40 services in 20 planes", Size(planes=20, services=40)))  # fmt: skip
_AT_ONCE = 5
_WITH_TOKEN = "keptn-with-token"
_WITH_TOKEN_AT_ONCE = 2
_ROUNDS = 5
_PINGS = 9
_BY_NAME = re.compile(r"/namespaces/(?!kube-system$)|metallb|selfsubject")
_TUNNEL = re.compile(r"/pods/([^/]+)/portforward")
_PUBLIC = re.compile(r"swagger-ui")
_LATER = re.compile(r"/event/triggered/|/sequence/|/resource-service/v1/project/|[?&]project=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One exchange: with which server, how long beside its round trips, and after which others."""

    server: str
    trips: int = 1
    busy_s: float = 0.0  # the server's own time
    after: tuple[int, ...] = ()  # positions of earlier steps
    limited: bool = True  # counts towards what may be in flight at the server
    what: str = ""  # "secret": the control plane's token is in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run over a distance. ``limit_s`` and ``chain`` are of its own requests."""

    distance_ms: float
    round_trip_s: float  # over it, as ``round_trip`` measures it
    start_up_s: float
    rest_s: float  # from the first byte to the end of the process
    cpu_s: float
    limit_s: float
    chain: int  # round trips of the longest chain, were there no limit to what is in flight


def measure() -> Iterator[Table]:
    with lab(planes=2, services=3) as running:
        measured = [best(running, distance) for distance in DISTANCES_MS]
    header = (
        "distance", "round trip", "start-up", "after it", "longest chain", "limit", "ratio",
        "target", "processor",
    )  # fmt: skip
    rows = [
        (
            ms(m.distance_ms / 1000), f"{m.round_trip_s * 1000:.1f} ms", ms(m.start_up_s),
            ms(m.rest_s), f"{m.chain} round trips",
            ms(m.limit_s), times(m.rest_s / m.limit_s),
            f"{TARGET:g}x: {met(m.rest_s / m.limit_s, TARGET)}", ms(m.cpu_s),
        )
        for m in measured
    ]  # fmt: skip
    near, far = measured[0], measured[-1]
    waits = (far.rest_s - near.rest_s) / (far.limit_s - near.limit_s)
    rows.append(
        ("what distance adds", "-", "-", ms(far.rest_s - near.rest_s), "-",
         ms(far.limit_s - near.limit_s), times(waits), f"{TARGET:g}x: {met(waits, TARGET)}", "-")
    )  # fmt: skip
    yield Table(name="critical-path", header=header, rows=tuple(rows))
    yield _counted()


def _counted() -> Table:
    """The same without a clock, see ``lock_step``."""
    rows = []
    for title, size in _COUNTED:
        stepped = asyncio.run(in_lock_step(size))
        limit = limit_in_steps(stepped.report)
        steps = stepped.steps + _bare(stepped.report)
        ratio = steps / limit
        rows.append((
            title, str(steps), str(limit), times(ratio),
            f"{TARGET:g}x: {met(ratio, TARGET)}",
        ))  # fmt: skip
    header = ("world", "round trips waited for, one after the other", "limit", "ratio", "target")
    return Table(name="critical-path-counted", header=header, rows=tuple(rows))


def limit_in_steps(report: dict[str, Any]) -> int:
    """The limit of a run in round trips, the servers' own time left out."""
    return round(schedule(tuple(replace(step, busy_s=0.0) for step in needed(report)), 1.0))


def best(running: LabProcess, distance_ms: float) -> Measured:
    """The fastest of a few runs: what else the machine does only ever adds."""
    runs = []
    running.reset(round_trip_ms=distance_ms)
    trip_s = round_trip(running)
    for _ in range(_ROUNDS):
        running.reset(round_trip_ms=distance_ms)
        run = check(running)
        runs.append(_measured(run, running.report(), distance_ms, trip_s))
    return min(runs, key=lambda m: m.rest_s)


def round_trip(running: LabProcess) -> float:
    """Seconds that the shortest answer of the gateway takes over a connection that is open."""
    url = urlsplit(running.world["endpoint"])
    gateway = running.detour(running.look_up(url.hostname or ""), url.port or 80)
    taken = []
    with socket.create_connection(gateway) as line:
        for _ in range(_PINGS):
            began = time.monotonic()
            line.sendall(f"GET /nginx-health HTTP/1.1\r\nHost: {url.hostname}\r\n\r\n".encode())
            line.recv(4096)
            taken.append(time.monotonic() - began)
    return statistics.median(taken[1:])  # the first pays for the handshake


def _measured(run: Run, report: dict[str, Any], distance_ms: float, trip_s: float) -> Measured:
    begun = first_byte(report["connections"])
    steps = needed(report)
    return Measured(
        distance_ms=distance_ms,
        round_trip_s=trip_s,
        start_up_s=begun - run.began,
        rest_s=run.ended - begun + _bare(report) * trip_s,
        cpu_s=run.cpu_s,
        limit_s=schedule(steps, trip_s),
        chain=round(schedule(tuple(_free(step) for step in steps), 1.0)),
    )


def _bare(report: dict[str, Any]) -> int:
    """1 when a connection was opened to see whether it opens: the relay answers that at once."""
    return int(any(c["bare"] and c["to"] != "dns" for c in report["connections"]))


def _free(step: Step) -> Step:
    return Step(server=step.server, trips=step.trips, after=step.after, limited=False)


def needed(report: dict[str, Any]) -> tuple[Step, ...]:
    """The steps of a run, each after those that it needs."""
    steps: list[Step] = []
    lists = {
        context: _cluster(steps, context, served)
        for context, served in report["served"].items()
        if served
    }
    for context, served in report["served"].items():
        _tunnels(steps, context, served, lists.get(context, 0))
    secret = next((n for n, step in enumerate(steps) if step.what == "secret"), None)
    if report["keptn"] and lists:
        _keptn(steps, report, named=min(lists.values()), secret=secret)
    return tuple(steps)


def _add(steps: list[Step], step: Step) -> int:
    steps.append(step)
    return len(steps) - 1


def _cluster(steps: list[Step], context: str, served: list[dict[str, Any]]) -> int:
    """One API server's requests; gives the position of a list that tells names."""
    opened = _add(steps, Step(server=context, trips=2, limited=False))
    plain = [r for r in served if not _TUNNEL.search(r["path"])]
    wide = [r for r in plain if not _BY_NAME.search(r["path"])]
    listing = opened
    for request in wide:
        step = _add(steps, _request(context, request, after=opened))
        if listing == opened and request["verb"] == "list":
            listing = step
    for request in plain:
        if request not in wide:
            _add(steps, _request(context, request, after=listing))
    return listing


def _request(context: str, request: dict[str, Any], *, after: int) -> Step:
    return Step(
        server=context, busy_s=request["ended"] - request["began"], after=(after,),
        what="secret" if "/secrets/" in request["path"] else "",
    )  # fmt: skip


def _tunnels(
    steps: list[Step], context: str, served: list[dict[str, Any]], listing: int
) -> None:
    """TCP, TLS, the upgrade and a request; more requests to one pod could share its tunnel."""
    open_to: dict[str, int] = {}
    for request in served:
        found = _TUNNEL.search(request["path"])
        if found is None:
            continue
        pod = found[1]
        first = pod not in open_to
        step = Step(
            server=context, trips=4 if first else 1, after=(open_to.get(pod, listing),),
            limited=False,
        )  # fmt: skip
        open_to[pod] = _add(steps, step)


def _keptn(
    steps: list[Step], report: dict[str, Any], *, named: int, secret: int | None
) -> None:
    """The endpoint's name and connection, and the requests of the operator."""
    asked = any(c["to"] == "dns" for c in report["connections"])
    name = _add(steps, Step(server="dns", after=(named,))) if asked else named
    tls = report["endpoint"].startswith("https:")
    door = _add(steps, Step(server="keptn", trips=1 + tls, after=(name,), limited=False))
    token = (door, secret) if secret is not None else (door,)
    tried = listing = -1
    for line in report["keptn"]:
        address, _, target, status = line.split(" ")
        if address != report["operator"]:
            continue  # it came through a tunnel
        if _PUBLIC.search(target) or status == "401":
            _add(steps, Step(server="keptn", after=(door,)))
        elif tried < 0:
            tried = _add(steps, Step(server=_WITH_TOKEN, after=token))
        elif _LATER.search(target) and listing >= 0:
            _add(steps, Step(server=_WITH_TOKEN, after=(listing,)))
        else:
            step = _add(steps, Step(server=_WITH_TOKEN, after=(tried,)))
            listing = step if listing < 0 else listing


def schedule(steps: tuple[Step, ...], round_trip_s: float) -> float:
    """Seconds that the steps take when each starts as soon as it may, the longest rest first."""
    takes = [step.trips * round_trip_s + step.busy_s for step in steps]
    followers: dict[int, list[int]] = defaultdict(list)
    for position, step in enumerate(steps):
        for before in step.after:
            followers[before].append(position)
    rest = takes[:]
    for position in reversed(range(len(steps))):
        rest[position] += max((rest[f] for f in followers[position]), default=0.0)
    waiting = [len(step.after) for step in steps]
    ready = [(-rest[n], n) for n, left in enumerate(waiting) if not left]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    in_flight: dict[str, int] = defaultdict(int)
    now = 0.0
    while ready or running:
        held = []
        while ready:
            urgency, position = heapq.heappop(ready)
            step = steps[position]
            most = _WITH_TOKEN_AT_ONCE if step.server == _WITH_TOKEN else _AT_ONCE
            if step.limited and in_flight[step.server] >= most:
                held.append((urgency, position))
                continue
            in_flight[step.server] += step.limited
            heapq.heappush(running, (now + takes[position], position))
        now, done = heapq.heappop(running)
        in_flight[steps[done].server] -= steps[done].limited
        for follower in followers[done]:
            waiting[follower] -= 1
            if not waiting[follower]:
                held.append((-rest[follower], follower))
        ready = held
        heapq.heapify(ready)
    return now
