"""How a run grows with its world: planes, other pods, Keptn services; and one bad plane.

Each line is a run of the doctor in a process of its own against a lab in another, so that time,
processor and peak memory are the doctor's. Cost is told per unit of size, above the smallest world
of the series: what grows linearly has the same cost at every size.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.speed.lock_step import in_lock_step
from benchmarks.speed.processes import Run, check, lab
from benchmarks.speed.tables import Table, met, mib, secs, times
from benchmarks.speed.worlds import Size, plane_name
from keptn_doctor import bundle

TARGET_S, TARGET_MIB = 15.0, 250.0
_PLANES = tuple({"planes": n, "services": 2 * n, "pods": 100 * n} for n in (1, 10, 50, 100))
_PODS = tuple({"planes": 2, "services": 4, "pods": n} for n in (100, 1_000, 10_000))
_SERVICES = tuple({"planes": 5, "services": n, "pods": 0} for n in (10, 200, 1_000))
_OTHERS = 9  # planes beside a bad one
_WITH_STALLED = Size(planes=3, services=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """One world's measure and its run."""

    size: dict[str, int]
    run: Run
    verdicts: int
    connected: int


def measure() -> Iterator[Table]:
    yield _series("growth-planes", "planes", _PLANES, "planes, 2 services and 100 pods in each")
    yield _series("growth-pods", "pods", _PODS, "other pods in 2 planes")
    yield _series("growth-services", "services", _SERVICES, "Keptn services in 5 planes")
    yield bad_planes()
    yield _stalled()


def grown(size: dict[str, int]) -> Grown:
    """One run against a world of that size."""
    with lab(**size) as running:
        run = check(running, outputs=("json",))
    verdicts = [v["connection"] for v in json.loads(run.files["json"])["verdicts"]]
    return Grown(
        size=size, run=run, verdicts=len(verdicts), connected=verdicts.count("connected")
    )  # fmt: skip


def _series(name: str, axis: str, sizes: Iterable[dict[str, int]], title: str) -> Table:
    measured = [grown(size) for size in sizes]
    first = measured[0]
    rows = [_row(axis, first, one) for one in measured]
    header = (
        title, "time", "processor", "peak memory", "size", "time", "processor", "memory above",
        "verdicts", "target",
    )  # fmt: skip
    return Table(name=name, header=header, rows=tuple(rows))


def _row(axis: str, first: Grown, one: Grown) -> tuple[str, ...]:
    run, small = one.run, first.run
    is_target = one.size == _PLANES[-1]
    both = max(run.wall_s / TARGET_S, run.peak_mib / TARGET_MIB)
    return (
        f"{one.size[axis]:,}",
        secs(run.wall_s),
        secs(run.cpu_s),
        mib(run.peak_mib),
        times(one.size[axis] / first.size[axis]),
        times(run.wall_s / small.wall_s),
        times(run.cpu_s / small.cpu_s),
        f"+{mib(run.peak_mib - small.peak_mib)}",
        f"{one.connected} of {one.verdicts} connected",
        f"{TARGET_S:.0f} s, {TARGET_MIB:.0f} MiB: {met(both, 1)}" if is_target else "-",
    )


def bad_planes() -> Table:
    """When the looks at the good planes were done, with and without a bad one beside them."""
    size = {"planes": 1 + _OTHERS, "services": 2 * (1 + _OTHERS), "pods": 0}
    base = _good_looks(size, good_from=1)
    rows = [("none", secs(base[0]), times(1), secs(base[1]), str(base[2]))]
    for kind, title in (("slow", "answers after 2 s"), ("dead", "does not answer")):
        done = _good_looks({**size, kind: 1}, good_from=1)
        ratio = times(done[0] / base[0])
        rows.append((f"one {title}", secs(done[0]), ratio, secs(done[1]), str(done[2])))
    header = (
        "bad plane", f"last look at the other {_OTHERS}, after the first look", "ratio",
        "whole run", "looks at the others",
    )  # fmt: skip
    return Table(name="growth-bad-plane", header=header, rows=tuple(rows))


def _stalled() -> Table:
    """The same without a clock, see ``lock_step``: what the others were asked in the meantime."""
    before, total = asked_before_stalled()
    row = ("one does not answer before all others have", f"{before} of {total}",
           times(before / total))  # fmt: skip
    header = ("bad plane", "requests at the other planes that did not wait for it", "share")
    return Table(name="growth-stalled", header=header, rows=(row,))


def asked_before_stalled() -> tuple[int, int]:
    """Requests at good planes made while a plane was silent, and all that were made."""
    stepped = asyncio.run(in_lock_step(_WITH_STALLED, stalled=plane_name(0)))
    good = [
        not stepped.released or request["began"] < stepped.released
        for context, served in stepped.report["served"].items()
        for request in served
        if context not in (plane_name(0), "keptn-cp")
    ]
    return sum(good), len(good)


def _good_looks(size: dict[str, int], *, good_from: int) -> tuple[float, float, int]:
    """Seconds from the first look to the last one at a good plane, the run's, and how many."""
    with lab(**size) as running:
        run = check(running, outputs=("bundle",))
    first, last, count = 0.0, 0.0, 0
    good = tuple(f"plane-{n:03}" for n in range(good_from, size["planes"]))
    for begun, ended, subject in _looks(run):
        first = min(first or begun, begun)
        if subject.split("/")[0] in good:
            last, count = max(last, ended), count + 1
    return last - first, run.wall_s, count


def _looks(run: Run) -> Iterator[tuple[float, float, str]]:
    """Begin, end and subject of every observation of a bundle."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "bundle")
        file.write_bytes(run.files["bundle"])
        snapshot: Any = bundle.load(file)
    for look in snapshot.observations:
        begun = look.started_at.timestamp()
        yield begun, begun + look.duration_ms / 1000, look.subject

