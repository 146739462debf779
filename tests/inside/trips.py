"""Round trips in worlds of the lab: what was sent, what came of it, what was left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from keptn_doctor.doctor import examine
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.model.evidence import NotAttempted, Snapshot
from keptn_doctor.model.keptn_facts import Hop, RoundTrip
from keptn_doctor.probes.round_trip_settings import TripSettings, Upstream
from keptn_doctor.secret import Secret

JMETER = "exec-a/keptn-exec/jmeter-service"
GIT_TOKEN = "gitToken0a1b2c3d4e5f"
UPSTREAM = Upstream(
    url="https://git.example.com/doctor.git", user="doctor", token=Secret(GIT_TOKEN)
)
PLACE = {"project": "sockshop", "stage": "dev", "service": "carts"}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One run with a round trip."""

    snapshot: Snapshot

    @property
    def trips(self) -> list[RoundTrip]:
        return [o.result for o in self.snapshot.observations if isinstance(o.result, RoundTrip)]

    @property
    def trip(self) -> RoundTrip:
        (trip,) = self.trips
        return trip

    @property
    def broken(self) -> Hop:
        hop = self.trip.broken_at
        assert hop is not None, self.trip
        return hop

    @property
    def refusal(self) -> NotAttempted:
        assert self.trips == []
        (note,) = [n for n in self.snapshot.not_attempted if n.probe == "round-trip"]
        assert note.asked_for
        return note

    @property
    def legs(self) -> dict[str, str]:
        return {hop.leg: hop.state for hop in self.trip.hops}


@asynccontextmanager
async def world(scenario: str = "", *, keptn: str = "") -> AsyncIterator[Lab]:
    """A world by its YAML without the title; the default one is healthy."""
    version = f"keptn: {keptn}\n" if keptn else ""
    async with start(loads(f"title: a world\n{version}{scenario}")) as lab:
        yield lab


async def sent(lab: Lab, level: str = "datastore", **settings: Any) -> Sent:
    """Run the doctor on it, with a round trip."""
    trip = TripSettings(**{"level": level, "timeout_s": 20, **settings})
    targets = msgspec.structs.replace(lab.targets(), round_trip=True, trip=trip)
    return Sent(snapshot=await examine(targets))
