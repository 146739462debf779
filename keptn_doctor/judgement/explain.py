"""Tells causes from consequences: one break low on the path is one cause, not forty complaints.

Three rules, in this order. An edge (``explained_by``) beats the order of layers. A break seen
as *behaviour* is a consequence of the breaks on the lowest lower layer whose subject covers its
own. A break proven from *state* (a wrong token in a Secret) cannot be the effect of a lower
break, so it stands beside it: that is how compound faults are both told. Findings that break
nothing never explain, and neither do suspicions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from keptn_doctor.judgement.needs import judged_services
from keptn_doctor.judgement.one_cause import Thing, by_broken_thing
from keptn_doctor.model.findings import Check, Finding, Layer
from keptn_doctor.model.report import RootCause
from keptn_doctor.model.topology import Entity, Topology

Key = tuple[str, str]  # check id, subject


def explain(
    topology: Topology,
    findings: Iterable[Finding],
    checks: Iterable[Check],
    *,
    got_past: Mapping[str, int] = {},
) -> tuple[RootCause, ...]:
    """The root causes, each with what follows from it; first those that most services meet first.

    ``got_past`` says, by subject path, up to which layer (exclusive) a service's own requests were
    positively seen to get: nothing wider that would stop them on a lower one holds for it. A
    cause that holds for no service is left out; see ``contradicted``.
    """
    return Explanation(topology, findings, checks, got_past=got_past).causes()


class Coverage:
    """Which entity's trouble is whose trouble."""

    def __init__(self, topology: Topology) -> None:
        self._above: dict[str, frozenset[str]] = {}
        self._services: dict[str, tuple[str, ...]] = {}
        control_plane = topology.control_plane.subject
        everything = tuple(s.subject for s in judged_services(topology))
        self._add(topology.control_plane, (), everything)
        for plane in topology.execution_planes:
            inside = tuple(s.subject for s in topology.services if s.plane == plane.name)
            self._add(plane, (), inside)
        for endpoint in topology.endpoints:
            self._add(endpoint, (control_plane,), endpoint.services)
        called = {path: e.subject for e in topology.endpoints for path in e.services}
        planes = {plane.name for plane in topology.execution_planes}
        for service in topology.services:
            above = [called[service.subject]] if service.subject in called else []
            above += [service.plane] if service.plane in planes else []
            self._add(service, (*above, control_plane), (service.subject,))

    def _add(self, entity: Entity, above: Iterable[str], services: tuple[str, ...]) -> None:
        self._above[entity.subject] = frozenset({entity.subject, *above})
        self._services[entity.subject] = services

    def above(self, subject: str) -> frozenset[str]:
        """The subject itself and all whose trouble can be the reason of its trouble."""
        return self._above.get(subject, frozenset({subject}))

    def covers(self, wide: str, narrow: str) -> bool:
        """Trouble of ``wide`` can be the reason of trouble of ``narrow``."""
        return wide in self.above(narrow)

    def services(self, subject: str) -> tuple[str, ...]:
        """The subject paths of the Keptn services that trouble of ``subject`` reaches."""
        return self._services.get(subject, ())


class Explanation:
    """The breaks among some findings, and what follows from what."""

    def __init__(
        self,
        topology: Topology,
        findings: Iterable[Finding],
        checks: Iterable[Check],
        *,
        got_past: Mapping[str, int] = {},
    ) -> None:
        self._coverage = Coverage(topology)
        self._checks = {check.id: check for check in checks}
        self._got_past = got_past
        self._service = {s.subject: s for s in topology.services}
        self._endpoint = {e.url: e for e in topology.endpoints}
        everything = tuple(findings)
        self._unknown = [f for f in everything if f.status == "unknown"]
        claimed = [
            f
            for f in everything
            if f.status == "fail" and not f.suspected and f.breaks != "nothing"
        ]
        holding = {_key(f) for f in claimed if self._holds(f)}
        self._breaks = [f for f in claimed if _key(f) in holding]
        self.contradicted = tuple(f for f in claimed if _key(f) not in holding)
        self._at: dict[str, list[Finding]] = {}
        for finding in self._breaks:
            self._at.setdefault(finding.subject, []).append(finding)
        self._edges = {_key(f): self._by_edge(f) for f in self._breaks}

    def causes(self) -> tuple[RootCause, ...]:
        """Every root, with the findings that lead back to it."""
        parents = {_key(f): self._parents(f) for f in self._breaks}
        effects: dict[Key, list[Finding]] = {}
        for finding in self._breaks:
            for root in _roots(_key(finding), parents, frozenset()):
                found = effects.setdefault(root, [])
                if root != _key(finding):
                    found.append(finding)
        roots = [finding for finding in self._breaks if _key(finding) in effects]
        blocked = self._blocked()
        groups = by_broken_thing(roots, self._broken_things)
        causes = [self._cause(group, effects, blocked) for group in groups]
        met_first = Counter(
            cause_id(_first_met(causes, service).finding)
            for service in {s for cause in causes for s in cause.services}
        )
        return tuple(sorted(causes, key=lambda c: (-met_first[cause_id(c.finding)], *_weight(c))))

    def services(self, finding: Finding) -> tuple[str, ...]:
        """The services that the finding breaks or degrades."""
        covered = self._coverage.services(finding.subject)
        return tuple(s for s in covered if self._breaks_service(finding, s))

    def accounts_for(self, finding: Finding) -> bool:
        """Whether a break that holds is said to show itself as this finding, too."""
        return bool(self._by_edge(finding))

    def _cause(
        self,
        group: tuple[Finding, ...],
        effects: dict[Key, list[Finding]],
        blocked: dict[Key, list[Finding]],
    ) -> RootCause:
        tally = Counter(finding.check for finding in group)
        first, *same = sorted(group, key=lambda f: (f.breaks != "disconnected", -tally[f.check]))
        consequences = [*same, *(e for f in group for e in effects[_key(f)])]
        return RootCause(
            finding=first,
            services=tuple(dict.fromkeys(s for f in group for s in self.services(f))),
            consequences=tuple({_key(f): f for f in consequences}.values()),
            blocked=tuple({_key(u): u for f in group for u in blocked.get(_key(f), ())}.values()),
        )

    def _broken_things(self, finding: Finding) -> tuple[Thing, ...]:
        """What is broken, by its identity: breaks on one thing are one cause.

        Services of one plane share the way to one endpoint: a lookup that of its host, up to TLS
        that of its port.
        """
        things: list[Thing] = [("thing", thing) for thing in finding.at_fault]
        service = self._service.get(finding.subject)
        if service is not None and Layer.RESOLVE <= finding.layer <= Layer.AUTH:
            token = service.token.fingerprint or service.token.reference
            own = token if finding.layer == Layer.AUTH else ""
            goal = self._goal(service.endpoint, finding.layer)
            way = (finding.check, finding.breaks, service.plane, goal, own)
            things.append(("way", *way))
        return tuple(things) or (("subject", *_key(finding)),)

    def _goal(self, url: str, layer: Layer) -> str:
        """As much of an endpoint's URL as matters on this layer."""
        endpoint = self._endpoint.get(url)
        if endpoint is None or not endpoint.host or layer > Layer.TLS:
            return url
        host = endpoint.host.lower()
        return host if layer == Layer.RESOLVE else f"{host}:{endpoint.port}"

    def _holds(self, finding: Finding) -> bool:
        covered = self._coverage.services(finding.subject)
        return not covered or bool(self.services(finding))

    def _breaks_service(self, finding: Finding, service: str) -> bool:
        """Whether the finding holds for a service, given how far its own requests got.

        What was seen working beats circumstance, so below that point only a finding about the
        service itself stands, if it was seen happening (its pods are seen as they are). A
        degradation is not contradicted by working.
        """
        if finding.breaks == "degraded" or finding.layer >= self._got_past.get(service, 0):
            return True
        seen_happening = finding.layer == Layer.WORKLOAD or not self._by_state(finding)
        return finding.subject == service and seen_happening

    def _by_state(self, finding: Finding) -> bool:
        check = self._checks.get(finding.check)
        return check is not None and check.proven_by == "state"

    def _by_edge(self, effect: Finding) -> tuple[Key, ...]:
        check = self._checks.get(effect.check)
        named = check.explained_by if check else ()
        return tuple(
            _key(f)
            for f in self._over(effect)
            if (f.check in named or effect.check in self._explained(f))
            and self._reaches(f, effect)
            and _has_part_in(f, effect)
        )

    def _explained(self, cause: Finding) -> tuple[str, ...]:
        check = self._checks.get(cause.check)
        return check.explains if check else ()

    def _parents(self, effect: Finding) -> tuple[Key, ...]:
        edges = self._edges[_key(effect)]
        if edges or self._by_state(effect):
            return edges
        lower = [
            f
            for f in self._over(effect)
            if f.layer < effect.layer
            and not self._edges[_key(f)]  # an effect is never a cause
            and (f.breaks == "disconnected" or effect.breaks == "degraded")
            and self._reaches(f, effect)
        ]
        lowest = min((f.layer for f in lower), default=None)
        return tuple(_key(f) for f in lower if f.layer == lowest)

    def _over(self, effect: Finding) -> list[Finding]:
        """The breaks that can be the reason of a finding, by what they are about, in order."""
        found = [f for path in self._coverage.above(effect.subject) for f in self._at.get(path, ())]
        return sorted(found, key=lambda f: (f.layer, f.check, f.subject))

    def _blocked(self) -> dict[Key, list[Finding]]:
        """What could not be judged, by the breaks below it."""
        blocked: dict[Key, list[Finding]] = {}
        for unknown in self._unknown:
            for cause in self._over(unknown):
                if cause.layer < unknown.layer and self._reaches(cause, unknown):
                    blocked.setdefault(_key(cause), []).append(unknown)
        return blocked

    def _reaches(self, cause: Finding, effect: Finding) -> bool:
        if not self._coverage.covers(cause.subject, effect.subject):
            return False
        affected = self._coverage.services(effect.subject)
        return not affected or any(self._breaks_service(cause, s) for s in affected)


def _roots(
    key: Key, parents: Mapping[Key, tuple[Key, ...]], path: frozenset[Key]
) -> tuple[Key, ...]:
    if key in path:  # edges of two plugins may contradict each other
        return ()
    found = [root for p in parents[key] for root in _roots(p, parents, path | {key})]
    return tuple(dict.fromkeys(found)) or (key,)


def _has_part_in(cause: Finding, effect: Finding) -> bool:
    """A dead database does not explain a dead broker, though both are the control plane's."""
    wanted = effect.through or effect.parts
    return not cause.parts or not wanted or not set(cause.parts).isdisjoint(wanted)


def cause_id(finding: Finding) -> str:
    """How a verdict names a cause: "<check id>@<subject>"."""
    return f"{finding.check}@{finding.subject}"


def _key(finding: Finding) -> Key:
    return (finding.check, finding.subject)


def _first_met(causes: Iterable[RootCause], service: str) -> RootCause:
    """The cause at which a service's requests end now; the others wait behind it."""
    own = [cause for cause in causes if service in cause.services]
    return min(own, key=lambda c: _weight(c)[1:])


def _weight(cause: RootCause) -> tuple[int, bool, int, str, str]:
    finding = cause.finding
    return (
        -len(cause.services), finding.breaks != "disconnected", finding.layer, finding.check,
        finding.subject,
    )  # fmt: skip
