"""A world of the lab, looked at once, and then round trips of several levels through it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec

from keptn_doctor.catalogue import load_checks
from keptn_doctor.discover import discover
from keptn_doctor.judgement.assemble import assemble
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.model.evidence import NotAttempted, Observation, Snapshot
from keptn_doctor.model.keptn_facts import RoundTrip
from keptn_doctor.model.report import Report
from keptn_doctor.model.topology import Topology
from keptn_doctor.observe import observe
from keptn_doctor.observe.keptn_api import reach_keptn_api
from keptn_doctor.observe.round_trips import make_round_trips
from keptn_doctor.observe.trip_logs import read_logs_of_broken_trips
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.probes.round_trip_settings import TripSettings
from keptn_doctor.session import Session

Level = Literal["datastore", "controller", "service"]
CATALOGUE = load_checks()


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one level came to in one world."""

    trip: RoundTrip | None
    refusal: NotAttempted | None
    report: Report

    @property
    def broken_at(self) -> str:
        """The leg that broke; "" when it came back, "refused" when none was made."""
        if self.trip is None:
            return "refused"
        hop = self.trip.broken_at
        if hop is not None:
            return hop.leg
        return next((f"{h.leg} unsure" for h in self.trip.hops if h.state != "ok"), "")

    @property
    def causes(self) -> tuple[str, ...]:
        return tuple(cause.finding.check for cause in self.report.causes)

    @property
    def answered_by(self) -> tuple[str, ...]:
        return self.trip.answered_by if self.trip else ()


class TriedWorld:
    """One world: the two rounds of looking are done, round trips are made on demand."""

    def __init__(self, lab: Lab, session: Session, topology: Topology, api: KeptnApi) -> None:
        self.lab, self._session, self._topology, self._api = lab, session, topology, api
        self._seen: tuple[Observation, ...] = tuple(session.recorder.observations)

    async def send(self, level: Level, *, service: str = "", limit_s: float = 0.0) -> Outcome:
        """One round trip, judged together with all that was seen before it."""
        session = self._session
        trip = TripSettings(
            level=level,
            project="sockshop",
            stage="dev",
            service="carts",
            keptn_services=(service,) if service else (),
            timeout_s=limit_s,
        )
        session.targets = msgspec.structs.replace(session.targets, trip=trip)
        looks, notes = len(session.recorder.observations), len(session.recorder.not_attempted)
        await make_round_trips(session, self._topology, self._api)
        await read_logs_of_broken_trips(session, self._topology)
        made = tuple(session.recorder.observations[looks:])
        refused = tuple(session.recorder.not_attempted[notes:])
        snapshot = Snapshot(
            taken_at=_now(), doctor_version="0", topology=self._topology,
            observations=(*self._seen, *made), not_attempted=refused,
        )  # fmt: skip
        trips = [look.result for look in made if isinstance(look.result, RoundTrip)]
        return Outcome(
            trip=trips[0] if trips else None,
            refusal=refused[0] if refused else None,
            report=assemble(snapshot, CATALOGUE),
        )


@asynccontextmanager
async def tried(scenario: str) -> AsyncIterator[TriedWorld]:
    """Start a world (YAML without its title) and look at all of it, as a run does."""
    async with start(loads(f"title: a world\n{scenario}")) as lab:
        targets = msgspec.structs.replace(lab.targets(), round_trip=True)
        quiet = msgspec.structs.replace(targets, round_trip=False)
        session = Session(quiet, Recorder(now=_now), salt=b"salt", now=_now)
        async with session:
            topology = await observe(session, await discover(session))
            session.targets = targets
            api = await reach_keptn_api(session, topology)
            assert api is not None
            yield TriedWorld(lab, session, topology, api)
            await session.janitor.clean()
            assert session.janitor.remaining == 0
