"""The verdict for each Keptn service: the evidence table, joined with the causes that hold.

Positive proof beats circumstance, a proven break beats "unknown", and nothing but a row of the
table can say "connected". A suspicion decides nothing; it is named where a break is proven and
its cause is not, or where nothing is proven at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from keptn_doctor.judgement.comparison import compare
from keptn_doctor.judgement.evidence import ServiceEvidence, gather
from keptn_doctor.judgement.evidence_table import Row, rule_on
from keptn_doctor.judgement.evidence_table_words import Ruling
from keptn_doctor.judgement.explain import Coverage, cause_id
from keptn_doctor.judgement.ladder import Climb, ladder
from keptn_doctor.judgement.needs import Evidence, judged_services
from keptn_doctor.judgement.witnesses import disagreement, heard
from keptn_doctor.model.base import Record
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.model.findings import Connection, Finding, Layer
from keptn_doctor.model.report import RootCause, Verdict
from keptn_doctor.reading.log import ongoing

EVERYTHING = Layer.DELIVERY + 1

_PASSED_BY_ANSWER = {
    "ok": Layer.REGISTRATION,
    "no-uniform": Layer.REGISTRATION,
    "refused": Layer.AUTH,
    "gateway-error": Layer.HTTP,
    "path": Layer.HTTP,
    "not-keptn": Layer.HTTP,
    "other": Layer.HTTP,
}
_PASSED_BY_LOG = {
    "bad_token": Layer.AUTH,
    "rate_limited": Layer.HTTP,
    "backend_down": Layer.HTTP,
    "wrong_path": Layer.HTTP,
    "html_answer": Layer.HTTP,
    "tls_untrusted": Layer.TLS,
    "tls_protocol": Layer.TLS,
    "tcp_refused": Layer.CONNECT,
    "tcp_timeout": Layer.CONNECT,
    "tcp_reset": Layer.CONNECT,
}
_RANK: dict[Connection, int] = {"connected": 0, "degraded": 1, "disconnected": 2}


class Weighed(Record, frozen=True, kw_only=True):
    """One service's evidence and what the table says of it."""

    evidence: ServiceEvidence
    row: Row
    ruling: Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class _Met:
    """A cause as one service meets it: by its name, and in the service's own words."""

    root: Finding
    own: Finding


def weigh(snapshot: Snapshot) -> dict[str, Weighed]:
    """The evidence table applied to every service, by subject path, in the order of the paths."""
    index = Evidence(snapshot)
    weighed = {}
    for service in sorted(judged_services(snapshot.topology), key=lambda s: s.subject):
        evidence = gather(index, service)
        row, ruling = rule_on(evidence)
        weighed[service.subject] = Weighed(evidence=evidence, row=row, ruling=ruling)
    return weighed


def got_past(weighed: Mapping[str, Weighed]) -> dict[str, int]:
    """Up to which layer, exclusive, each service's requests were positively seen to get."""
    return {path: _got_past(item) for path, item in weighed.items()}


def _got_past(item: Weighed) -> int:
    if item.ruling.connection in ("connected", "degraded"):
        return EVERYTHING
    answers = item.evidence.answers
    passed = [_PASSED_BY_ANSWER[answer] for answer in answers if answer in _PASSED_BY_ANSWER]
    told = [_PASSED_BY_LOG.get(m.cause, Layer.ACCESS) for m in ongoing(item.evidence.logs)]
    return max(passed, default=max(told, default=Layer.ACCESS))


def decide(
    snapshot: Snapshot,
    findings: Iterable[Finding],
    causes: Iterable[RootCause],
    *,
    weighed: Mapping[str, Weighed] | None = None,
) -> tuple[Verdict, ...]:
    """One verdict per Keptn service, in the order of the subject paths.

    ``weighed`` saves a second reading of the table when the caller has it already.
    """
    table = weigh(snapshot) if weighed is None else weighed
    coverage = Coverage(snapshot.topology)
    about: dict[str, list[Finding]] = {}
    for finding in findings:
        about.setdefault(finding.subject, []).append(finding)
    broken_by: dict[str, list[_Met]] = {}
    for cause in causes:
        words = cause.as_each_meets_it()
        for path in cause.services:
            met = _Met(root=cause.finding, own=words.get(path, cause.finding))
            broken_by.setdefault(path, []).append(met)
    verdicts = []
    for path, item in table.items():
        relevant = [f for subject in coverage.above(path) for f in about.get(subject, ())]
        relevant.sort(key=_active_first)
        verdicts.append(_verdict(path, item, relevant, broken_by.get(path, [])))
    return tuple(verdicts)


def _verdict(path: str, item: Weighed, relevant: list[Finding], met: list[_Met]) -> Verdict:
    causes = sorted(met, key=lambda cause: _active_first(cause.root))
    own = [cause.own for cause in causes]
    connection = _joined(path, item, own)
    likely = [] if own or connection == "connected" else _likely(item, relevant)
    named = [cause.root for cause in causes] or likely[:1]
    witnesses = heard(item.evidence)
    return Verdict(
        service=path,
        connection=connection,
        because=_because(item.ruling, connection, own, likely),
        proof=item.ruling.proof if connection == item.ruling.connection else _proof(own),
        vantage=item.ruling.vantage,
        row=item.row.id,
        causes=tuple(cause_id(f) for f in named),
        next_step=_next_step(item, connection, own or likely),
        ladder=ladder(
            Climb(
                evidence=item.evidence,
                findings=tuple(relevant),
                causes=tuple(own),
                breaks_at=item.row.layer if connection == "disconnected" and not own else None,
                got_past=_got_past(item),
            )
        ),
        compared=compare(item.evidence),
        witnesses=witnesses,
        disagreement=disagreement(item.evidence, witnesses),
        round_trip=item.evidence.trip,
    )


def _joined(path: str, item: Weighed, causes: list[Finding]) -> Connection:
    """The worse of table and causes; a degradation alone does not make an unknown known."""
    ruling = item.ruling
    worst = max((_RANK[f.breaks] for f in causes if f.breaks in _RANK), default=0)
    if ruling.connection == "unknown":
        if worst == 2:
            return "disconnected"
        if item.evidence.record.strength == "shared" and not item.evidence.answers:
            return "unknown"  # what is degraded may as well be dead, and the other one alive
        seen_itself = any(f.subject == path and f.breaks == "degraded" for f in causes)
        return "degraded" if seen_itself else "unknown"
    if ruling.connection == "degraded":
        return "degraded"  # it was seen to get through now and then, whatever broke in between
    if worst > _RANK[ruling.connection]:
        return "disconnected" if worst == 2 else "degraded"
    return ruling.connection


def _likely(item: Weighed, relevant: list[Finding]) -> list[Finding]:
    """Suspicions that fit: about this service or wider, and not below what it got past."""
    passed = _got_past(item)
    return [f for f in relevant if f.status == "fail" and f.suspected and f.layer >= passed]


def _active_first(finding: Finding) -> tuple[int, bool, str, str]:
    return (finding.layer, finding.breaks != "disconnected", finding.check, finding.subject)


def _because(
    ruling: Ruling, connection: Connection, causes: list[Finding], likely: list[Finding]
) -> str:
    if connection != ruling.connection and causes:
        worst = max(causes, key=lambda f: _RANK.get(_as_connection(f), 0))
        return worst.summary
    if likely:
        return f"{ruling.because} Likely: {likely[0].summary}"
    return ruling.because


def _as_connection(finding: Finding) -> Connection:
    return "disconnected" if finding.breaks == "disconnected" else "degraded"


def _proof(causes: list[Finding]) -> str:
    return f"finding {cause_id(causes[0])}" if causes else ""


def _next_step(item: Weighed, connection: Connection, causes: list[Finding]) -> str:
    if connection == "connected" and not causes:
        return ""
    if connection == "unknown" and item.ruling.next_step:
        return item.ruling.next_step
    if causes:
        return causes[0].command or causes[0].remedy
    if item.ruling.next_step:
        return item.ruling.next_step
    service = item.evidence.service
    workload = f"{service.workload_kind.lower()}/{service.name}"
    container = f" -c {service.container}" if service.container else ""
    return f"kubectl -n {service.namespace} logs {workload}{container}"
