"""Runs every check on every subject it is about and completes what it says.

The engine, not the author, writes "unknown" when a needed fact is missing, with what would have
been needed; and a check that raises is a result too. Pure: the same snapshot gives the same
findings in the same order, whatever the order of its observations.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from keptn_doctor.judgement.needs import Bound, Evidence, Missing, entities_about
from keptn_doctor.model.evidence import NotAttempted, Observation, Snapshot
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.findings import Check, Finding, Layer
from keptn_doctor.model.topology import Entity

_Known = dict[tuple[type, bool, bool, bool, str], Bound | Missing]  # by what is needed, and how

_WORDS = {
    "DnsAnswer": "the answer of a name server",
    "TcpConnection": "a TCP connection to the endpoint",
    "TlsSession": "a TLS session with the endpoint",
    "HttpAnswer": "an HTTP answer of the endpoint",
    "GatewayAnswers": "the answers of the gateway's routes",
    "KeptnVersion": "the version of the control plane",
    "TokenCheck": "the control plane's word on the operator's token",
    "ReferenceToken": "the token in the control plane's Secret",
    "IntegrationListing": "the control plane's list of integrations",
    "ProjectListing": "the control plane's list of projects",
    "IntegrationLog": "the control plane's log of integration errors",
    "OpenEvents": "the list of open events",
    "OldEvents": "a second look at old open events",
    "PastAnswers": "the last answers of each source",
    "Sequences": "the sequences under way",
    "PodLog": "the log of the container",
    "LocalApiAnswer": "an answer through the distributor's own API proxy",
    "SdkHealth": "the health endpoint of the service",
    "GatewayLog": "the gateway's access log",
    "PodProbe": "a probe pod inside the plane",
    "RoundTrip": "an event sent and found again",
    "Workload": "the workload and its pods",
    "Components": "the control plane's workloads",
    "ComponentServices": "the control plane's Services",
    "ClusterFacts": "the cluster's version and identity",
    "Nodes": "the cluster's nodes",
    "GatewayService": "the Service api-gateway-nginx",
    "ExposureRoutes": "the routes that lead to the gateway",
    "LoadBalancerProvider": "what hands out load balancer addresses",
    "Claims": "the control plane's volume claims",
    "NamespaceFacts": "the namespace",
    "NetworkPolicies": "the network policies",
    "RightsReview": "the operator's rights",
}


def judge(snapshot: Snapshot, checks: Iterable[Check]) -> tuple[Finding, ...]:
    """Each check on each entity of its kind: exactly one finding per pair.

    Ordered by layer, check id and subject path. A check's exception becomes a finding of status
    "crash"; only KeyboardInterrupt and the like pass through.
    """
    evidence = Evidence(snapshot)
    by_kind: dict[type, list[Check]] = {}
    for check in checks:
        by_kind.setdefault(check.about, []).append(check)
    findings = [
        finding
        for about, alike in by_kind.items()
        for subject in entities_about(snapshot.topology, about)
        for finding in _judge_all(alike, subject, evidence)
    ]
    findings.sort(key=lambda f: (f.layer, f.check, f.subject))
    return tuple(findings)


def _judge_all(checks: Iterable[Check], subject: Entity, evidence: Evidence) -> Iterator[Finding]:
    """All checks on one entity: they need the same few facts, each of which is bound once."""
    known: _Known = {}
    for check in checks:
        yield _judge_one(check, subject, evidence, known)


def _judge_one(check: Check, subject: Entity, evidence: Evidence, known: _Known) -> Finding:
    arguments: dict[str, Any] = {}
    seen: list[str] = []
    missing: list[Missing] = []
    for need in check.needs:
        alike = (need.kind, need.many, need.optional, need.takes_failure, need.marker)
        bound = known.get(alike)
        if bound is None:
            bound = known[alike] = evidence.bind(need, subject)
        if isinstance(bound, Missing):
            missing.append(bound)
            seen += [look.id for look in bound.failed]
        else:
            arguments[need.parameter] = bound.value
            seen += bound.evidence
    if missing:
        finding = _unknown(missing)
    else:
        try:
            finding = _finding(check.judge(**arguments))
        except Exception as error:  # noqa: BLE001 - a border: around a check
            finding = _crashed(check, error)
    return _completed(finding, check=check, subject=subject.subject, evidence=tuple(seen))


def _finding(answer: object) -> Finding:
    if not isinstance(answer, Finding):
        raise TypeError(f"it returned {type(answer).__name__}, not a finding")
    return answer


def _completed(
    finding: Finding, *, check: Check, subject: str, evidence: tuple[str, ...]
) -> Finding:
    """Fill in what the check's declaration says and the author need not repeat.

    A finding's severity counts where the author lowered it; "error" means "as declared". So does
    its layer, of which the lowest, WORKLOAD, means "as declared".
    """
    failed = finding.status == "fail"
    breaks = check.breaks if finding.breaks == "as-declared" else finding.breaks
    lowered = finding.severity != "error"
    return msgspec.structs.replace(
        finding,
        check=check.id,
        subject=subject,
        layer=finding.layer if failed and finding.layer > Layer.WORKLOAD else check.layer,
        evidence=tuple(dict.fromkeys(evidence)),
        severity=finding.severity if lowered else check.severity,
        breaks=breaks if failed and not finding.suspected else "nothing",
    )


def _unknown(missing: list[Missing]) -> Finding:
    reasons = tuple(dict.fromkeys(_reason(gap) for gap in missing))
    unlocks = tuple(dict.fromkeys(unlock for gap in missing for unlock in _unlocks(gap)))
    return Finding(
        status="unknown",
        severity="info",
        summary=f"Not known: {'; '.join(reasons)}.",
        missing=unlocks or tuple(_what(gap) for gap in missing),
    )


def _what(gap: Missing) -> str:
    name = gap.need.kind.__name__
    words = _WORDS.get(name, name)
    return f"{words}, seen from inside the plane" if gap.need.marker == "inside" else words


def _reason(gap: Missing) -> str:
    if gap.failed:
        failure = _first_failure(gap.failed)
        detail = failure.detail or f"{failure.phase}: {failure.code}"
        return f"{_what(gap)} could not be had ({detail.rstrip('.')})"
    if gap.not_attempted:
        return f"{_what(gap)} was not looked for ({gap.not_attempted[0].reason.rstrip('.')})"
    return f"{_what(gap)} was not seen"


def _unlocks(gap: Missing) -> list[str]:
    rights = [look.result.right for look in gap.failed if isinstance(look.result, Failure)]
    notes: Iterable[NotAttempted] = gap.not_attempted
    return [text for text in (*rights, *(note.unlock for note in notes)) if text]


def _first_failure(looks: tuple[Observation, ...]) -> Failure:
    return next(look.result for look in looks if isinstance(look.result, Failure))


def _crashed(check: Check, error: Exception) -> Finding:
    frames = traceback.extract_tb(error.__traceback__)
    inside = [f"{frame.name}, line {frame.lineno}" for frame in frames[1:]][-3:]
    return Finding(
        status="crash",
        summary=f"The check {check.id} stopped on a bug: {type(error).__name__}: {error}",
        remedy=f"Report it to the authors of {check.source or check.id}; nothing was judged.",
        detail=" < ".join(reversed(inside)),
    )
