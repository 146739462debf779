"""The one document that every renderer reads."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from keptn_doctor.model.base import Record
from keptn_doctor.model.evidence import NotAttempted, Observation, Timing
from keptn_doctor.model.findings import Connection, Finding, Layer
from keptn_doctor.model.keptn_facts import RoundTrip
from keptn_doctor.model.times import RunTimes
from keptn_doctor.model.topology import ControlPlane, ExecutionPlane

REPORT_SCHEMA_VERSION = 1


class Rung(Record, frozen=True, kw_only=True):
    """One layer of a service's hop ladder."""

    layer: Layer
    state: Literal["ok", "broken", "degraded", "unknown", "blocked", "not-applicable"]
    note: str = ""


PathRung = Literal["resolve", "connect", "tls", "http"]
WitnessName = Literal["own request", "control plane", "log", "health endpoint", "probe pod"]
Says = Literal["works", "in part", "fails", "nothing"]


class Comparison(Record, frozen=True, kw_only=True):
    """One rung of the way to the endpoint, from the operator's machine and from inside the plane.

    Either side is "" when it was not looked at from there, "ok" when it held, else in words:
    addresses, a failure code, who answered.
    """

    rung: PathRung
    operator: str = ""
    inside: str = ""
    vantage: str = ""  # of the inside: "inside:<plane>/<namespace>/<pod>"
    differs: bool = False


class Witness(Record, frozen=True, kw_only=True):
    """One who was heard on a connection, and what it says of it now."""

    who: WitnessName
    says: Says
    words: str = ""
    vantage: str = ""


class RootCause(Record, frozen=True, kw_only=True):
    """A failed finding that no other one explains, and what follows from it."""

    finding: Finding
    services: tuple[str, ...] = ()  # subject paths it breaks or degrades
    consequences: tuple[Finding, ...] = ()
    blocked: tuple[Finding, ...] = ()  # unknowns that it explains

    def is_about(self, finding: Finding) -> bool:
        """Whether a finding names the broken thing of this cause."""
        return not set(self.finding.at_fault).isdisjoint(finding.at_fault)

    def as_each_meets_it(self) -> dict[str, Finding]:
        """The same break in the words of each subject, where several share the cause."""
        same = (
            f
            for f in reversed(self.consequences)
            if f.check == self.finding.check or self.is_about(f)
        )
        return {**{f.subject: f for f in same}, self.finding.subject: self.finding}


class Verdict(Record, frozen=True, kw_only=True):
    """The answer for one Keptn service."""

    service: str  # subject path
    connection: Connection
    because: str  # one sentence
    proof: str = ""  # what proves it: "local API proxy answered 200 and heartbeat is 4 s old"
    vantage: str = ""  # from where it was proven
    row: str = ""  # the row of the evidence table that decided
    causes: tuple[str, ...] = ()  # "<check id>@<subject>" of the root causes, active one first
    next_step: str = ""  # the one next command or action
    ladder: tuple[Rung, ...] = ()
    compared: tuple[Comparison, ...] = ()  # the rungs from the operator and from inside
    witnesses: tuple[Witness, ...] = ()  # who was heard, the strongest first
    disagreement: str = ""  # which witness stands against which, and what that implies
    round_trip: RoundTrip | None = None  # of an event that was sent to it, leg by leg


class Report(Record, frozen=True, kw_only=True):
    """Everything a run found out, judged."""

    schema_version: int = REPORT_SCHEMA_VERSION
    doctor_version: str
    taken_at: datetime
    exit_code: int
    headline: str
    control_plane: ControlPlane
    execution_planes: tuple[ExecutionPlane, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    causes: tuple[RootCause, ...] = ()
    warnings: tuple[Finding, ...] = ()  # failed findings that break nothing
    findings: tuple[Finding, ...] = ()
    coverage: tuple[NotAttempted, ...] = ()
    evidence: tuple[Observation, ...] = ()  # what the ids in the findings refer to
    plugin_errors: tuple[str, ...] = ()
    round_trip: RoundTrip | None = None  # of an event through the control plane alone
    interrupted: bool = False
    created: int = 0
    remaining: int = 0
    timings: tuple[Timing, ...] = ()
    times: RunTimes | None = None  # of each look, with --timings
