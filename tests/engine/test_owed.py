"""What an option asked for by name and the run does not have keeps it from ending in 0."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from worlds import CONTROL_PLANE, SERVICE, listing, local, pod, record, workload

from keptn_doctor.catalogue import Catalogue
from keptn_doctor.judgement.assemble import assemble
from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import Hop, RoundTrip
from keptn_doctor.model.report import Report
from keptn_doctor.testing import seen, world

HEALTHY = (workload(pod()), local(), listing(record()))


def report(*more: Any, notes: tuple[NotAttempted, ...] = ()) -> Report:
    snapshot = world(SERVICE, *HEALTHY, *more)
    return assemble(msgspec.structs.replace(snapshot, not_attempted=notes), Catalogue(checks=()))


def trip(state: Any) -> Any:
    hops = (Hop(leg="accepted", state="ok"), Hop(leg="stored", state=state))
    return seen(CONTROL_PLANE, RoundTrip(hops=hops))


def refused(*, asked_for: bool) -> NotAttempted:
    return NotAttempted(
        probe="round-trip", subject=CONTROL_PLANE, reason="no token was given", asked_for=asked_for
    )


def test_a_round_trip_that_came_back_owes_nothing() -> None:
    found = report(trip("ok"))
    assert found.exit_code == 0
    assert "round trip" not in found.headline


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_a_leg_that_did_not_hold_or_is_not_certain_is_no_success(state: str) -> None:
    found = report(trip(state))
    assert found.exit_code == 3
    assert "the leg stored" in found.headline


def test_a_round_trip_that_was_refused_is_no_success_and_says_why() -> None:
    found = report(notes=(refused(asked_for=True),))
    assert found.exit_code == 3
    assert found.headline.endswith("was not made: no token was given.")


def test_a_look_that_nobody_asked_for_by_name_is_a_gap_and_no_more() -> None:
    assert report(notes=(refused(asked_for=False),)).exit_code == 0


def test_a_round_trip_that_was_cut_short_is_no_success() -> None:
    cut = Failure(phase="deadline", code="deadline-exceeded", detail="no answer in 9 s")
    found = report(seen(CONTROL_PLANE, cut, probe="round-trip"))
    assert found.exit_code == 3
    assert "no answer in 9 s" in found.headline
