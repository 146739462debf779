"""The hop ladder of one Keptn service: each rung of its path, from its workload to its work.

A rung is "ok" only by evidence of the service's own (how far its requests got, its heartbeat);
what the operator's machine sees is a note, never a tick.
"""

from __future__ import annotations

from keptn_doctor.judgement.evidence import ServiceEvidence
from keptn_doctor.model.base import Record
from keptn_doctor.model.findings import Finding, Layer
from keptn_doctor.model.report import Rung
from keptn_doctor.reading.round_trip import held

RUNGS = tuple(layer for layer in Layer if layer is not Layer.ACCESS)
_THE_WAY = (Layer.RESOLVE, Layer.CONNECT, Layer.TLS, Layer.HTTP, Layer.AUTH)


class Climb(Record, frozen=True, kw_only=True):
    """What the ladder of one service is made from."""

    evidence: ServiceEvidence
    findings: tuple[Finding, ...]  # those whose subject covers the service
    causes: tuple[Finding, ...]  # the root causes that hold for it
    breaks_at: Layer | None  # the rung a verdict speaks of that no cause explains
    got_past: int  # layer, exclusive, that its own requests were seen to get past


def ladder(climb: Climb) -> tuple[Rung, ...]:
    """All rungs, low to high; above the first broken one, what was not seen is blocked."""
    stops = [f.layer for f in climb.causes if f.breaks == "disconnected"]
    if climb.breaks_at is not None:
        stops.append(climb.breaks_at)
    first_break = min(stops, default=None)
    return tuple(_rung(layer, climb, first_break) for layer in RUNGS)


def _rung(layer: Layer, climb: Climb, first_break: Layer | None) -> Rung:
    cause = next((f for f in climb.causes if f.layer == layer), None)
    if cause is not None:
        broken = cause.breaks == "disconnected"
        return Rung(layer=layer, state="broken" if broken else "degraded", note=cause.summary)
    if not _applies(layer, climb.evidence):
        return Rung(layer=layer, state="not-applicable")
    if layer == climb.breaks_at:
        return Rung(layer=layer, state="broken")
    effect = _effect(layer, climb)
    if effect is not None:
        return Rung(layer=layer, state="degraded", note=effect.summary)
    proof = _seen_working(layer, climb.evidence, climb.got_past)
    if proof:
        return Rung(layer=layer, state="ok", note=proof)
    if first_break is not None and layer > first_break:
        return Rung(layer=layer, state="blocked")
    return Rung(layer=layer, state="unknown", note=_hint(layer, climb.findings))


def _effect(layer: Layer, climb: Climb) -> Finding | None:
    """A break of the service's workload that is the effect of one further up."""
    return next(
        (
            f
            for f in climb.findings
            if f.layer == layer == Layer.WORKLOAD
            and f.subject == climb.evidence.service.subject
            and f.status == "fail"
            and f.breaks != "nothing"
        ),
        None,
    )


def _applies(layer: Layer, evidence: ServiceEvidence) -> bool:
    if evidence.service.mode == "nats" and layer in _THE_WAY:
        return False
    endpoint = evidence.endpoint
    return not (layer is Layer.TLS and endpoint is not None and endpoint.scheme == "http")


def _seen_working(layer: Layer, evidence: ServiceEvidence, got_past: int) -> str:
    record = evidence.record.integration
    alive = evidence.fresh.state == "fresh" and evidence.record.strength != "shared"
    if layer is Layer.WORKLOAD:
        return "its client runs" if evidence.client_runs or evidence.local else ""
    if layer < got_past and layer <= Layer.AUTH:
        if evidence.local:
            return f"its own request was answered {evidence.local[0].registration.status}"
        return "its heartbeat arrives" if alive else "its log shows that it gets past this"
    if layer is Layer.REGISTRATION and alive:
        return "its heartbeat is alive"
    if layer is Layer.SUBSCRIPTION and record is not None and record.subscriptions:
        count = len(record.subscriptions)
        return f"{count} subscription{'s' if count != 1 else ''}"
    if layer is Layer.DELIVERY and evidence.trip and held((evidence.trip,), "finished"):
        return f"a task sent to it came back finished after {evidence.trip.seconds:.1f} s"
    if layer is Layer.DELIVERY and got_past > Layer.DELIVERY and alive:
        return "no failure seen"
    return ""


def _hint(layer: Layer, findings: tuple[Finding, ...]) -> str:
    here = [f for f in findings if f.layer == layer and f.status in ("fail", "pass")]
    doubts = [f for f in here if f.status == "fail" and f.suspected]
    if doubts:
        return f"likely: {doubts[0].summary}"
    passed = [f for f in here if f.status == "pass"]
    return f"not seen from inside; {passed[0].summary}" if passed else ""
