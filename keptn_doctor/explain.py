"""Tells causes from consequences: one break low on the path is one cause, not forty complaints.

Three rules, in this order. An edge (``explained_by``) beats the order of layers. A break seen
as *behaviour* is a consequence of the breaks on the lowest lower layer whose subject covers its
own. A break proven from *state* (a wrong token in a Secret) cannot be the effect of a lower
break, so it stands beside it: that is how compound faults are both told. Findings that break
nothing never explain, and neither do suspicions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from keptn_doctor.model.findings import Check, Connection, Finding
from keptn_doctor.model.report import RootCause
from keptn_doctor.model.topology import Entity, Topology

Key = tuple[str, str]  # check id, subject


def explain(
    topology: Topology,
    findings: Iterable[Finding],
    checks: Iterable[Check],
    *,
    seen_working: Mapping[str, Connection] = {},
) -> tuple[RootCause, ...]:
    """The root causes, those that break most first, each with what follows from it.

    ``seen_working`` holds the services that were positively seen to work (by subject path):
    a finding about something wider, or one proven from state alone, does not break those.
    """
    return _Explanation(topology, findings, checks, seen_working).causes()


def suspicions(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What points to a bad state without proving it."""
    return tuple(f for f in findings if f.status == "fail" and f.suspected)


class Coverage:
    """Which entity's trouble is whose trouble."""

    def __init__(self, topology: Topology) -> None:
        self._above: dict[str, frozenset[str]] = {}
        self._services: dict[str, tuple[str, ...]] = {}
        control_plane = topology.control_plane.subject
        everything = tuple(s.subject for s in topology.services)
        self._add(topology.control_plane, (), everything)
        for plane in topology.execution_planes:
            inside = tuple(s.subject for s in topology.services if s.plane == plane.name)
            self._add(plane, (), inside)
        for endpoint in topology.endpoints:
            self._add(endpoint, (control_plane,), endpoint.services)
        for service in topology.services:
            parts = (topology.endpoint_of(service), topology.plane_of(service))
            above = [part.subject for part in parts if part is not None]
            self._add(service, (*above, control_plane), (service.subject,))

    def _add(self, entity: Entity, above: Iterable[str], services: tuple[str, ...]) -> None:
        self._above[entity.subject] = frozenset({entity.subject, *above})
        self._services[entity.subject] = services

    def covers(self, wide: str, narrow: str) -> bool:
        """Trouble of ``wide`` can be the reason of trouble of ``narrow``."""
        return wide in self._above.get(narrow, frozenset({narrow}))

    def services(self, subject: str) -> tuple[str, ...]:
        """The subject paths of the Keptn services that trouble of ``subject`` reaches."""
        return self._services.get(subject, ())


class _Explanation:
    def __init__(
        self,
        topology: Topology,
        findings: Iterable[Finding],
        checks: Iterable[Check],
        seen_working: Mapping[str, Connection],
    ) -> None:
        self._coverage = Coverage(topology)
        self._checks = {check.id: check for check in checks}
        self._working = seen_working
        self._narrow = {s.subject for s in topology.services}
        everything = tuple(findings)
        self._unknown = [f for f in everything if f.status == "unknown"]
        self._breaks = [
            f for f in everything
            if f.status == "fail" and not f.suspected and f.breaks != "nothing"
        ]  # fmt: skip
        self._edges = {_key(f): self._by_edge(f) for f in self._breaks}

    def causes(self) -> tuple[RootCause, ...]:
        roots: dict[Key, list[Finding]] = {}
        parents = {_key(f): self._parents(f) for f in self._breaks}
        for finding in self._breaks:
            for root in self._roots(_key(finding), parents, frozenset()):
                consequences = roots.setdefault(root, [])
                if root != _key(finding):
                    consequences.append(finding)
        by_key = {_key(f): f for f in self._breaks}
        causes = [self._cause(by_key[key], effects) for key, effects in roots.items()]
        return tuple(sorted(causes, key=_weight))

    def _cause(self, finding: Finding, consequences: list[Finding]) -> RootCause:
        return RootCause(
            finding=finding,
            services=tuple(s for s in self._coverage.services(finding.subject)
                           if self.breaks(finding, s)),
            consequences=tuple(consequences),
            blocked=tuple(u for u in self._unknown if self._blocks(finding, u)),
        )  # fmt: skip

    def breaks(self, finding: Finding, service: str) -> bool:
        """Whether the finding holds for a service, given what the service was seen to do.

        What was seen working beats circumstance, so only a finding about the service itself, by
        its behaviour, speaks against it. A wider degradation is not contradicted by working.
        """
        if service not in self._working or finding.breaks == "degraded":
            return True
        check = self._checks.get(finding.check)
        by_state = check is not None and check.proven_by == "state"
        return finding.subject in self._narrow and not by_state

    def _by_edge(self, effect: Finding) -> tuple[Key, ...]:
        check = self._checks.get(effect.check)
        named = check.explained_by if check else ()
        return tuple(
            _key(f) for f in self._breaks
            if f.check in named and self._coverage.covers(f.subject, effect.subject)
        )  # fmt: skip

    def _parents(self, effect: Finding) -> tuple[Key, ...]:
        edges = self._edges[_key(effect)]
        check = self._checks.get(effect.check)
        if edges or (check is not None and check.proven_by == "state"):
            return edges
        lower = [
            f for f in self._breaks
            if f.layer < effect.layer
            and not self._edges[_key(f)]  # an effect is never a cause
            and self._coverage.covers(f.subject, effect.subject)
        ]  # fmt: skip
        lowest = min((f.layer for f in lower), default=None)
        return tuple(_key(f) for f in lower if f.layer == lowest)

    def _roots(
        self, key: Key, parents: Mapping[Key, tuple[Key, ...]], path: frozenset[Key]
    ) -> tuple[Key, ...]:
        if key in path:  # edges of two plugins may contradict each other
            return ()
        found = [root for p in parents[key] for root in self._roots(p, parents, path | {key})]
        return tuple(dict.fromkeys(found)) or (key,)

    def _blocks(self, cause: Finding, unknown: Finding) -> bool:
        return cause.layer < unknown.layer and self._coverage.covers(cause.subject, unknown.subject)


def cause_id(finding: Finding) -> str:
    """How a verdict names a cause: "<check id>@<subject>"."""
    return f"{finding.check}@{finding.subject}"


def _key(finding: Finding) -> Key:
    return (finding.check, finding.subject)


def _weight(cause: RootCause) -> tuple[int, bool, int, str, str]:
    finding = cause.finding
    return (
        -len(cause.services), finding.breaks != "disconnected", finding.layer, finding.check,
        finding.subject,
    )  # fmt: skip


__all__ = ["Coverage", "cause_id", "explain", "suspicions"]
