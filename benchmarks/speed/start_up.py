"""How long a user waits for nothing: ``--help``, and until the first byte leaves the machine.

The first byte is timed where it arrives: at the relay before the lab, by the clock that all
processes of a machine share.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator

from benchmarks.speed.processes import LabProcess, check, doctor, lab, spawn
from benchmarks.speed.tables import Table, met, ms, times

_ROUNDS = 7
_HELP_S, _FIRST_BYTE_S = 0.120, 1.1


def measure() -> Iterator[Table]:
    bare = _median(lambda: spawn(sys.executable, "-c", "pass").wall_s)
    told = _median(lambda: doctor("--help").wall_s)
    with lab() as running:
        first = _median(lambda: first_byte_s(running))
    rows = (
        ("a bare Python", ms(bare), times(1), "-"),
        ("keptn-doctor --help", ms(told), times(told / bare),
         f"at most {ms(_HELP_S)}: {met(told, _HELP_S)}"),
        ("check, until the first byte is sent", ms(first), times(first / bare),
         f"at most {ms(_FIRST_BYTE_S)}: {met(first, _FIRST_BYTE_S)}"),
    )  # fmt: skip
    yield Table(name="start-up", header=("what", "time", "bare Python", "target"), rows=rows)


def first_byte_s(running: LabProcess) -> float:
    """Seconds from the start of the process to its first byte on any wire."""
    running.reset()
    run = check(running)
    return first_byte(running.report()["connections"]) - run.began


def first_byte(connections: list[dict[str, float]]) -> float:
    """When the first byte of a run was sent."""
    return min(c["first_byte"] for c in connections if c["first_byte"])


def _median(once: Callable[[], float]) -> float:
    return statistics.median(once() for _ in range(_ROUNDS))
