"""Every connection and request of one run, in order: for whoever wants to make it faster.

``python -m benchmarks.speed.trace ROUND_TRIP_MS [SIZE]``, for instance with
``200 '{"planes": 3, "services": 6}'``; the first column is seconds since the process started.
With ``steps`` for a distance the run is made in lock step (see ``lock_step``), and each step shows
who was spoken to and what the API servers were asked.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.speed.critical_path import limit_in_steps
from benchmarks.speed.lock_step import in_lock_step
from benchmarks.speed.processes import check, lab
from benchmarks.speed.worlds import Size


def main() -> None:
    size = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    if sys.argv[1:2] == ["steps"]:
        _by_steps(size)
        return
    round_trip_ms = float(sys.argv[1]) if len(sys.argv) > 1 else 0
    with lab(**size) as running:
        running.reset(round_trip_ms=round_trip_ms)
        run = check(running, outputs=("json",))
        for at, line in sorted(lines(running.report(), run.began)):
            print(f"{at:7.3f}  {line}")
    report = json.loads(run.files["json"])
    print(
        f"wall {run.wall_s:.2f} s, processor {run.cpu_s:.2f} s, peak {run.peak_mib:.0f} MiB, "
        f"exit code {run.code}, {report.get('timings')}"
    )


def _by_steps(size: dict[str, int]) -> None:
    stepped = asyncio.run(in_lock_step(Size(**size)))
    began = stepped.history[0][0]
    found = [
        (at, f"step {number}: {', '.join(f'{count} to {to}' for to, count in spoke.items())}")
        for number, (at, spoke) in enumerate(stepped.history, start=1)
    ]
    requests = {"served": stepped.report["served"], "connections": []}
    found += [(at + began, line) for at, line in lines(requests, began)]
    for _, line in sorted(found):
        print(line)
    print(f"{stepped.steps} steps, the limit is {limit_in_steps(stepped.report)}")


def lines(report: dict[str, Any], began: float) -> Iterator[tuple[float, str]]:
    """What happened, each with its moment."""
    for c in report["connections"]:
        last = c["last_byte"] - began if c["last_byte"] else 0
        yield c["opened"] - began, (
            f"connection {c['to']}: {c['trips']} trips, {c['up']} bytes up, {c['down']} down, "
            f"last byte at {last:.3f}"
        )
    for context, served in report["served"].items():
        for s in served:
            query = f"?{s['query'][:70]}" if s["query"] else ""
            yield s["began"] - began, (
                f"  {context} {s['method']} {s['path']}{query} {s['status']}, "
                f"{s['size']} bytes, done at {s['ended'] - began:.3f}"
            )


if __name__ == "__main__":
    main()
