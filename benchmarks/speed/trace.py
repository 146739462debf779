"""Every connection and request of one run, in order: for whoever wants to make it faster.

``python -m benchmarks.speed.trace ROUND_TRIP_MS [SIZE]``, for instance with
``200 '{"planes": 3, "services": 6}'``; the first column is seconds since the process started.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.speed.processes import check, lab


def main() -> None:
    round_trip_ms = float(sys.argv[1]) if len(sys.argv) > 1 else 0
    size = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
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
