"""Judging costs so much for each Keptn service, however many there are.

Calls of functions and bytes held are counted, for both are the same on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from ceilings import GROWTH

from benchmarks.speed.judging import allocated, healthy
from keptn_doctor.catalogue import load_checks
from keptn_doctor.judgement.assemble import assemble

FEW, MANY = 20, 100


def _calls(work: Callable[[], object]) -> int:
    """Functions that were called, Python's and C's."""
    count = 0

    def called(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def _growth(
    cost: Callable[[Callable[[], object]], int], work: Callable[[int], Callable[[], object]]
) -> float:
    """How much more the larger one costs than linear growth allows; 1 is linear."""
    work(FEW)()  # caches are filled once
    return cost(work(MANY)) / cost(work(FEW)) / (MANY / FEW)


def _judging(count: int) -> Callable[[], object]:
    snapshot, catalogue = healthy(count), load_checks()
    return lambda: assemble(snapshot, catalogue)


def _of_each_pair(count: int) -> Callable[[], object]:
    return lambda: [repr((a, b)) for a in range(count) for b in range(count)]


def test_what_is_measured_is_a_world_of_connected_services() -> None:
    report = assemble(healthy(FEW), load_checks())
    assert [verdict.connection for verdict in report.verdicts] == ["connected"] * FEW


@pytest.mark.parametrize("cost", [_calls, allocated])
def test_judging_grows_with_the_number_of_services(
    cost: Callable[[Callable[[], object]], int],
) -> None:
    assert _growth(cost, _judging) <= GROWTH


@pytest.mark.parametrize("cost", [_calls, allocated])
def test_work_on_each_pair_of_services_is_noticed(
    cost: Callable[[Callable[[], object]], int],
) -> None:
    assert _growth(cost, _of_each_pair) > GROWTH
