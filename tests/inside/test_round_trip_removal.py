"""The project of a round trip is removed for good, or what stays is counted and told."""

from __future__ import annotations

import msgspec
import pytest
from trips import UPSTREAM, sent, world

from keptn_doctor.doctor import examine
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.round_trip_settings import TripSettings

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]

PROVIDED = "control-plane: {automatic-provisioning: true%s}\n"


def service(settings: str) -> str:
    return (
        f"execution-planes: {{exec-a: {{services: {{jmeter-service: {{service: {settings}}}}}}}}}\n"
    )


async def test_an_answer_that_comes_after_the_removal_leaves_nothing() -> None:
    async with world(PROVIDED % "" + service("{takes: 3s}")) as lab:
        late = await sent(lab, "service", timeout_s=1.5)
        assert late.broken.leg == "finished"
        assert "started and did not finish" in late.broken.detail
        assert late.legs["project-removed"] == "ok"
        assert lab.left_of(late.trip.project) == {}
        assert (late.snapshot.created, late.snapshot.remaining) == (1, 0)


async def test_a_project_that_keptn_does_not_make_needs_no_removal() -> None:
    scenario = "control-plane: {delivery: {new-upstream: not-found}}\n"
    async with world(scenario, keptn="1.4.5") as lab:
        none = await sent(lab, "service", upstream=UPSTREAM)
        assert none.broken.leg == "project-made"
        assert "repository of the Git upstream is not found" in none.broken.detail
        assert none.legs["project-removed"] == "not-reached"
        assert (none.snapshot.created, none.snapshot.remaining) == (0, 0)
        assert [w.method for w in lab.writes()] == ["POST"]


async def test_what_stays_in_a_git_repository_is_told() -> None:
    async with world(keptn="1.4.5") as lab:
        found = await sent(lab, "service", upstream=UPSTREAM)
        assert found.trip.left_behind == (
            "a shipyard in the Git repository https://git.example.com/doctor.git",
        )


async def test_a_sequence_that_nobody_began_leaves_nothing() -> None:
    async with world(PROVIDED % ", delivery: {dispatcher: stuck}") as lab:
        stuck = await sent(lab, "service", timeout_s=1.5)
        assert stuck.broken.leg == "task-sent"
        assert lab.left_of(stuck.trip.project) == {}


async def test_a_run_that_comes_to_its_limit_removes_its_project_and_is_no_success() -> None:
    async with world(PROVIDED % "" + service("{sends-events: false}")) as lab:
        trip = TripSettings(level="service", timeout_s=60)
        deadlines = Deadlines(run_s=6)
        snapshot = await examine(
            msgspec.structs.replace(lab.targets(), round_trip=True, trip=trip, deadlines=deadlines)
        )
        assert snapshot.remaining == 0
        own = [w.path.rpartition("/")[2] for w in lab.writes() if w.method == "DELETE"]
        assert [lab.left_of(name) for name in own if lab.left_of(name)] == []
        assert any(note.asked_for for note in snapshot.not_attempted)


async def test_an_event_that_never_got_to_the_datastore_leaves_nothing() -> None:
    async with world(PROVIDED % ", store: {unmapped-events-lost: true}") as lab:
        lost = await sent(lab, "service", timeout_s=1.5)
        assert lost.broken.leg == "stored"
        assert lab.left_of(lost.trip.project) == {}
        assert (lost.snapshot.created, lost.snapshot.remaining) == (1, 0)
