"""What was looked at: observations, each a fact or a failure, gathered in one snapshot.

Not looked at = no observation (and a line in ``not_attempted``); looked and failed = ``Failure``;
looked and saw = a fact. The three are never mixed up: that is what this tool is for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from keptn_doctor.model.base import Record
from keptn_doctor.model.facts import Fact
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.times import RunTimes
from keptn_doctor.model.topology import OPERATOR, Topology, Vantage

SCHEMA_VERSION = 1


class Observation(Record, frozen=True, kw_only=True):
    """One look: by which probe, at which entity, from where, and what came of it."""

    id: str  # unique in a snapshot, stable for the same look: "dns/endpoint:http://x/api@operator"
    probe: str
    subject: str  # subject path, see ``model.topology``
    vantage: Vantage = OPERATOR
    started_at: datetime
    duration_ms: float = 0.0
    attempts: int = 1
    result: Fact | Failure


class NotAttempted(Record, frozen=True, kw_only=True):
    """A look that was not taken, and why: it becomes coverage in the report, never silence."""

    probe: str
    subject: str
    reason: str  # "no token was given"
    unlock: str = ""  # the cheapest way to change that: an option, or a rule to be granted
    kind: Literal["right", "option", "unreachable", "limit", "interrupted"] = "option"
    asked_for: bool = False  # an option asked for it by name, so a run without it is not all right


class Timing(Record, frozen=True, kw_only=True):
    """Wall time of one stage of the run."""

    stage: str
    duration_ms: float


class Snapshot(Record, frozen=True, kw_only=True):
    """All evidence of one run; nothing else reaches a check."""

    schema_version: int = SCHEMA_VERSION
    taken_at: datetime
    doctor_version: str
    topology: Topology
    observations: tuple[Observation, ...] = ()
    not_attempted: tuple[NotAttempted, ...] = ()
    timings: tuple[Timing, ...] = ()  # of the stages that looked
    times: RunTimes | None = None  # of each look; None in snapshots of before
    interrupted: bool = False
    created: int = 0  # pods and projects that the run created (--probe-pod, --round-trip)
    remaining: int = 0  # of those, still there at the end
