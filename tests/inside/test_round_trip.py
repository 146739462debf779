"""Round trips in healthy worlds of every age: each level comes back, and leaves what it says."""

from __future__ import annotations

import msgspec
import pytest
from trips import GIT_TOKEN, JMETER, PLACE, UPSTREAM, sent, world

from keptn_doctor.doctor import examine
from keptn_doctor.lab.world import Lab

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]

VERSIONS = ("0.8.7", "0.13.6", "0.16.2", "0.19.3", "1.4.5")


def writes(lab: Lab) -> list[tuple[str, str]]:
    return [(w.method, w.path.removeprefix("/api")) for w in lab.writes()]


@pytest.mark.parametrize("probe_pod", [False, True])
async def test_nothing_is_written_unasked(*, probe_pod: bool) -> None:
    async with world() as lab:
        targets = msgspec.structs.replace(lab.targets(), probe_pod=probe_pod, active=probe_pod)
        await examine(targets)
        assert [w for w in lab.writes() if w.server == "keptn"] == []
        assert probe_pod or lab.writes() == ()


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_level_comes_back_in_a_healthy_world(version: str) -> None:
    async with world(keptn=version) as lab:
        stored = await sent(lab)
        assert list(stored.legs) == ["accepted", "stored"]
        assert stored.trip.came_back, stored.trip
        assert writes(lab) == [("POST", "/v1/event")]
        assert sum(lab.left_of("").values()) > 0

        failed = await sent(lab, "controller", **PLACE)
        if version == "0.8.7":
            assert "Keptn 0.8.7 does not answer" in failed.refusal.reason
            assert len(writes(lab)) == 1
        else:
            assert list(failed.legs) == ["accepted", "stored", "sequence-answered"]
            assert failed.trip.came_back, failed.trip
            assert failed.trip.left_behind

        before = len(writes(lab))
        through = await sent(lab, "service", upstream=UPSTREAM)
        assert through.trip.came_back, through.trip
        assert through.snapshot.observations[-1].subject == JMETER
        assert through.trip.answered_by == ("jmeter-service",)
        assert (through.snapshot.created, through.snapshot.remaining) == (1, 0)
        own = f"/controlPlane/v1/project/{through.trip.project}"
        assert writes(lab)[before:] == [
            ("POST", "/controlPlane/v1/project"), ("POST", f"{own}/service"),
            ("POST", "/v1/event"), ("DELETE", own),
        ]  # fmt: skip
        assert lab.left_of(through.trip.project) == {}
        assert GIT_TOKEN not in msgspec.json.encode(through.snapshot).decode()


@pytest.mark.parametrize("version", ["0.13.6", "1.4.5"])
async def test_several_services_get_a_project_each_and_one_that_needs_a_job_gets_one(
    version: str,
) -> None:
    async with world("control-plane: {automatic-provisioning: true}", keptn=version) as lab:
        names = ("jmeter-service", "exec-b/job-executor-service")
        through = await sent(lab, "service", keptn_services=names)
        assert [trip.came_back for trip in through.trips] == [True, True], through.trips
        assert sorted(trip.answered_by for trip in through.trips) == [
            ("jmeter-service",), ("job-executor-service",),
        ]  # fmt: skip
        assert len({trip.project for trip in through.trips}) == 2
        assert (through.snapshot.created, through.snapshot.remaining) == (2, 0)
        assert [lab.left_of(trip.project) for trip in through.trips] == [{}, {}]


async def test_it_goes_by_a_forwarded_port_where_there_is_no_other_way() -> None:
    scenario = (
        "control-plane: {automatic-provisioning: true}\n"
        "operator: {endpoint: 'http://127.0.0.1:9/api'}\n"
    )
    async with world(scenario) as lab:
        through = await sent(lab, "service")
        assert through.trip.came_back, through.trip
        assert lab.left_of(through.trip.project) == {}


async def test_automatic_provisioning_needs_no_upstream() -> None:
    async with world("control-plane: {automatic-provisioning: true}", keptn="1.4.5") as lab:
        through = await sent(lab, "service")
        assert through.trip.came_back, through.trip
        assert through.trip.left_behind == ()
