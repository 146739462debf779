"""Snapshot and catalogue in, report out: judge, explain, decide, and the sentence on top.

Pure: a live run and the replay of a bundle give the same report. The time a run took is the one
thing that is handed in from outside.
"""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.catalogue import Catalogue
from keptn_doctor.judgement.decide import decide, got_past, weigh
from keptn_doctor.judgement.explain import Explanation, cause_id
from keptn_doctor.judgement.headline import headline
from keptn_doctor.judgement.judge import judge
from keptn_doctor.model.evidence import Snapshot, Timing
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.findings import Finding, Layer
from keptn_doctor.model.keptn_facts import RoundTrip
from keptn_doctor.model.report import Report, RootCause, Verdict

CONNECTED, BROKEN, UNKNOWN = 0, 1, 3


def assemble(snapshot: Snapshot, catalogue: Catalogue, *, timings: Iterable[Timing] = ()) -> Report:
    """Judge a snapshot and write the report on it.

    Exit code: 0 all connected; 1 something disconnected or degraded; 3 nothing proven wrong, but
    something unknown, no Keptn service found at all, a plane that could not be searched, or a round
    trip that was asked for and did not come back.
    2, 4 and 130 are the caller's business.
    """
    findings = judge(snapshot, catalogue.checks)
    table = weigh(snapshot)
    explanation = Explanation(
        snapshot.topology, findings, catalogue.checks, got_past=got_past(table)
    )
    proven = explanation.causes()
    verdicts = decide(snapshot, findings, proven, weighed=table)
    causes = (*proven, *_likely(verdicts, findings))
    topology = snapshot.topology
    unseen = _unseen_planes(snapshot, findings)
    owed = _owed(snapshot)
    code = _exit_code(verdicts, proven, unseen, owed)
    in_the_way = () if causes else _in_the_way(findings, catalogue, verdicts, unseen)
    sentence = headline(verdicts, causes, unseen=unseen, in_the_way=in_the_way)
    return Report(
        doctor_version=snapshot.doctor_version,
        taken_at=snapshot.taken_at,
        exit_code=code,
        headline=f"{sentence} {owed}" if owed and code != BROKEN else sentence,
        control_plane=topology.control_plane,
        execution_planes=topology.execution_planes,
        verdicts=verdicts,
        causes=causes,
        warnings=_warnings(findings, causes, explanation),
        findings=findings,
        evidence=snapshot.observations,
        coverage=snapshot.not_attempted,
        plugin_errors=catalogue.errors,
        round_trip=_round_trip(snapshot),
        interrupted=snapshot.interrupted,
        created=snapshot.created,
        remaining=snapshot.remaining,
        timings=(*snapshot.timings, *timings),
    )


def _round_trip(snapshot: Snapshot) -> RoundTrip | None:
    subject = snapshot.topology.control_plane.subject
    seen = (look.result for look in snapshot.observations if look.subject == subject)
    return next((fact for fact in seen if isinstance(fact, RoundTrip)), None)


def _likely(verdicts: tuple[Verdict, ...], findings: tuple[Finding, ...]) -> list[RootCause]:
    """Suspicions that a verdict names because nothing better is known."""
    named: dict[str, list[str]] = {}
    for verdict in verdicts:
        for cause in verdict.causes:
            named.setdefault(cause, []).append(verdict.service)
    suspected = [f for f in findings if f.status == "fail" and f.suspected]
    return [
        RootCause(finding=f, services=tuple(named[cause_id(f)]))
        for f in suspected
        if cause_id(f) in named
    ]


def _warnings(
    findings: tuple[Finding, ...], causes: Iterable[RootCause], explanation: Explanation
) -> tuple[Finding, ...]:
    """Failed findings that break nothing, or nothing that works; crashes of checks too.

    A suspicion is left out when a proven cause is known to look like it.
    """
    told = {cause_id(c.finding) for c in causes}
    refuted = {cause_id(f) for f in explanation.contradicted}
    return tuple(
        f
        for f in findings
        if f.status == "crash"
        or (
            f.status == "fail"
            and (f.breaks == "nothing" or cause_id(f) in refuted)
            and cause_id(f) not in told
            and not (f.suspected and explanation.accounts_for(f))
        )
    )


def _unseen_planes(snapshot: Snapshot, findings: Iterable[Finding]) -> tuple[str, ...]:
    """Execution planes that could not be searched: that nothing was found there proves nothing.

    Nor does it where the doctor was led to the wrong place, as a check of its own way in says.
    """
    shut = {
        look.subject
        for look in snapshot.observations
        if look.probe == "cluster" and isinstance(look.result, Failure)
    }
    shut |= {f.subject for f in findings if f.status == "fail" and f.layer is Layer.ACCESS}
    shut |= {note.subject for note in snapshot.not_attempted if note.probe == "cluster"}
    inhabited = {service.plane for service in snapshot.topology.services}
    return tuple(
        plane.name
        for plane in snapshot.topology.execution_planes
        if plane.name not in inhabited
        and (plane.subject in shut or not (plane.namespaces or plane.all_namespaces))
    )


def _owed(snapshot: Snapshot) -> str:
    """What was asked for by name and not had, as a sentence; "" when there is no such thing."""
    refused = next((note for note in snapshot.not_attempted if note.asked_for), None)
    if refused is not None:
        return f"The round trip that was asked for was not made: {refused.reason}."
    trips = [look for look in snapshot.observations if look.probe == "round-trip"]
    for look in trips:
        if isinstance(look.result, Failure):
            said = look.result.detail or look.result.code
            return f"The round trip that was asked for was not finished: {said}."
        if isinstance(look.result, RoundTrip) and not look.result.came_back:
            hop = next(hop for hop in look.result.hops if hop.state != "ok")
            verb = "did not hold" if hop.state == "failed" else "is not certain"
            return f"Of the round trip, the leg {hop.leg} {verb}."
    return ""


def _exit_code(
    verdicts: tuple[Verdict, ...],
    proven: tuple[RootCause, ...],
    unseen: tuple[str, ...],
    owed: str,
) -> int:
    connections = {verdict.connection for verdict in verdicts}
    if connections & {"disconnected", "degraded"}:
        return BROKEN
    if not verdicts:
        return BROKEN if proven else UNKNOWN
    return UNKNOWN if "unknown" in connections or unseen or owed else CONNECTED


def _in_the_way(
    findings: Iterable[Finding],
    catalogue: Catalogue,
    verdicts: tuple[Verdict, ...],
    unseen: tuple[str, ...],
) -> tuple[Finding, ...]:
    """What the doctor ran into on its own way in to where something stayed unknown.

    A missing right is not among it: whether that one was the reason is not known.
    """
    seen_happening = {c.id for c in catalogue.checks if c.proven_by == "behaviour"}
    unknown = [v.service for v in verdicts if v.connection == "unknown"]
    if verdicts and not unknown and not unseen:
        return ()
    planes = {*unseen, *(path.split("/")[0] for path in unknown)}
    return tuple(
        f
        for f in findings
        if f.status == "fail"
        and f.layer is Layer.ACCESS
        and f.check in seen_happening
        and (f.subject in planes or f.subject.startswith("control-plane/"))
    )
