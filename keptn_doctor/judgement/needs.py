"""Reads what a check needs from its signature and finds it in a snapshot.

A fact is taken from the nearest entity that can have it: a Keptn service's own path, then its
endpoint, its plane, the control plane. Nearest is decided by the *kind* of fact, never by what
happens to be there: a service whose log could not be read must not be judged by the control
plane's. Binding does not depend on the order of the observations.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, get_args, get_origin

from keptn_doctor.model import keptn_facts, kube_facts, path_facts
from keptn_doctor.model.base import Record
from keptn_doctor.model.evidence import NotAttempted, Observation, Snapshot
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.probe_names import fact_of
from keptn_doctor.model.topology import (
    ControlPlane,
    Endpoint,
    Entity,
    ExecutionPlane,
    KeptnService,
    Topology,
)

ENTITIES: tuple[type, ...] = (ControlPlane, ExecutionPlane, Endpoint, KeptnService)
FACTS: tuple[type, ...] = (
    *get_args(kube_facts.KubeFact),
    *get_args(path_facts.PathFact),
    *get_args(keptn_facts.KeptnFact),
)
_KINDS = frozenset((*ENTITIES, *FACTS, Topology, datetime))
_MARKERS = ("inside", "operator", "control-plane", "everywhere")

_ON_THE_WAY: tuple[type, ...] = (
    path_facts.DnsAnswer,
    path_facts.TcpConnection,
    path_facts.TlsSession,
    path_facts.HttpAnswer,
)
_OF_A_SERVICE: tuple[type, ...] = (
    kube_facts.Workload,
    keptn_facts.LocalApiAnswer,
    keptn_facts.SdkHealth,
    keptn_facts.PodProbe,
)
_OF_A_CLUSTER: tuple[type, ...] = (
    kube_facts.ClusterFacts, kube_facts.Nodes, kube_facts.NamespaceFacts,
    kube_facts.NetworkPolicies, kube_facts.RightsReview,
)  # fmt: skip


class SignatureError(TypeError):
    """A check's signature that the engine cannot serve; the text is one line for its author."""


class Need(Record, frozen=True, kw_only=True):
    """One parameter of a check: what it wants and what it makes of its absence."""

    parameter: str
    kind: type
    many: bool = False
    optional: bool = False
    takes_failure: bool = False
    marker: Literal["", "inside", "operator", "control-plane", "everywhere"] = ""

    @property
    def is_fact(self) -> bool:
        return self.kind in FACTS


class Bound(Record, frozen=True, kw_only=True):
    """A value for a parameter, and the observations that it rests on."""

    value: Any
    evidence: tuple[str, ...] = ()


class Missing(Record, frozen=True, kw_only=True):
    """A needed fact that is not there: the failed looks for it, and the looks not taken."""

    need: Need
    failed: tuple[Observation, ...] = ()
    not_attempted: tuple[NotAttempted, ...] = ()


def read_needs(judge: Callable[..., Any]) -> tuple[Need, ...]:
    """The needs of a check function, in the order of its parameters.

    Raises SignatureError for an annotation that is missing or is no entity, fact or time.
    """
    namespace: dict[str, Any] = getattr(inspect.unwrap(judge), "__globals__", {})
    try:
        hints = {
            name: _meaning(text, namespace)
            for name, text in getattr(judge, "__annotations__", {}).items()
        }
    except (NameError, TypeError, SyntaxError) as error:
        raise SignatureError(f"its annotations cannot be read: {error}") from error
    needs = []
    for name in inspect.signature(judge).parameters:
        if name not in hints:
            raise SignatureError(f"parameter {name} has no annotation")
        needs.append(_read(name, hints[name]))
    return tuple(needs)


_NAME = re.compile(r"[^\W\d]\w*")
_MEANINGS: dict[str, tuple[dict[str, Any], Any]] = {}  # with what the names in them stood for


def _meaning(text: Any, namespace: dict[str, Any]) -> Any:
    """What an annotation stands for; 140 checks write the same few, and each is worked out once."""
    if isinstance(text, str) and text in _MEANINGS:
        names, meaning = _MEANINGS[text]
        if all(namespace.get(name) is value for name, value in names.items()):
            return meaning
    written = types.SimpleNamespace(__annotations__={"it": text})
    meaning = typing.get_type_hints(written, namespace, include_extras=True)["it"]
    if isinstance(text, str):
        _MEANINGS[text] = ({name: namespace.get(name) for name in _NAME.findall(text)}, meaning)
    return meaning


def _read(parameter: str, hint: Any) -> Need:
    kinds: list[Any] = []
    marks: list[str] = []
    many = optional = failure = False
    stack = [hint]
    while stack:
        part = stack.pop()
        origin, arguments = get_origin(part), get_args(part)
        if origin is Annotated:
            stack.append(arguments[0])
            marks += [mark for mark in arguments[1:] if mark in _MARKERS]
        elif origin in (typing.Union, types.UnionType):
            stack.extend(arguments)
        elif origin is tuple and arguments[1:] == (Ellipsis,):
            many = True
            stack.append(arguments[0])
        elif part is type(None):
            optional = True
        elif part is Failure:
            failure = True
        else:
            kinds.append(part)
    if len(kinds) != 1 or not (isinstance(kinds[0], type) and kinds[0] in _KINDS):
        raise SignatureError(f"parameter {parameter}: {hint!r} is no entity, fact or time")
    marker: Any = marks[0] if marks else ""
    return Need(
        parameter=parameter, kind=kinds[0], many=many, optional=optional, takes_failure=failure,
        marker=marker,
    )  # fmt: skip


def homes(kind: type) -> tuple[type, ...]:
    """The kinds of entity that can have such a fact."""
    if kind in _ON_THE_WAY:
        return (KeptnService, Endpoint)
    if kind is path_facts.GatewayAnswers:
        return (Endpoint,)
    if kind in _OF_A_SERVICE:
        return (KeptnService,)
    if kind in (keptn_facts.PodLog, keptn_facts.RoundTrip):
        return (KeptnService, ControlPlane)
    if kind in _OF_A_CLUSTER:
        return (ExecutionPlane, ControlPlane)
    return (ControlPlane,)


class Evidence:
    """A snapshot arranged by fact and subject, once, for all checks."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.topology = snapshot.topology
        self._seen: dict[tuple[type, str], list[Observation]] = {}
        for observation in sorted(snapshot.observations, key=_preference):
            kind = _kind_of(observation)
            if kind is not None:
                self._seen.setdefault((kind, observation.subject), []).append(observation)
        self._called = {path: e for e in self.topology.endpoints for path in e.services}
        self._planes = {plane.name: plane for plane in self.topology.execution_planes}
        self._chains: dict[str, tuple[Entity, ...]] = {}
        self._skipped: dict[tuple[type, str], list[NotAttempted]] = {}
        for note in sorted(snapshot.not_attempted, key=lambda n: (n.probe, n.subject, n.reason)):
            wanted = fact_of(note.probe)
            if wanted is not None:
                self._skipped.setdefault((wanted, note.subject), []).append(note)

    def bind(self, need: Need, subject: Entity) -> Bound | Missing:
        """The value of one parameter of a check about ``subject``."""
        if need.kind is datetime:
            return Bound(value=self.snapshot.taken_at)
        if need.kind is Topology:
            return Bound(value=self.topology)
        if not need.is_fact:
            return self._entity(need, subject)
        return self._fact(need, subject)

    def endpoint_of(self, service: KeptnService) -> Endpoint | None:
        """The endpoint that a service is told to call."""
        return self._called.get(service.subject)

    def plane_of(self, service: KeptnService) -> ExecutionPlane | None:
        """The execution plane that a service runs in."""
        return self._planes.get(service.plane)

    def _entity(self, need: Need, subject: Entity) -> Bound | Missing:
        if need.many:
            below = [e for e in self._below(subject) if isinstance(e, need.kind)]
            above = [e for e in self._chain(subject) if isinstance(e, need.kind)]
            found = tuple(sorted(set(below or above), key=lambda e: e.subject))
            return Bound(value=found) if found or need.optional else Missing(need=need)
        for entity in self._chain(subject):
            if isinstance(entity, need.kind):
                return Bound(value=entity)
        return Bound(value=None) if need.optional else Missing(need=need)

    def _fact(self, need: Need, subject: Entity) -> Bound | Missing:
        scopes = self._scopes(need, subject)
        looks = [
            look
            for scope in scopes
            for look in self._seen.get((need.kind, scope), ())
            if need.marker not in ("inside", "operator") or look.vantage.place == need.marker
        ]
        if isinstance(subject, KeptnService):
            looks.sort(key=lambda look: _elsewhere(look, subject.namespace))
        facts = [look for look in looks if not isinstance(look.result, Failure)]
        failed = [look for look in looks if isinstance(look.result, Failure)]
        usable = facts + failed if need.takes_failure else facts
        if usable:
            chosen = usable if need.many else usable[:1]
            values = tuple(look.result for look in chosen)
            evidence = tuple(look.id for look in chosen)
            return Bound(value=values if need.many else values[0], evidence=evidence)
        if need.optional:
            return Bound(value=None)
        notes = [n for scope in scopes for n in self._skipped.get((need.kind, scope), ())]
        return Missing(need=need, failed=tuple(failed), not_attempted=tuple(notes))

    def _scopes(self, need: Need, subject: Entity) -> tuple[str, ...]:
        """The subject paths to look at: one for a single fact, all below for a tuple.

        On the way to an endpoint a service's own look is nearest; without one, its endpoint's.
        """
        possible = homes(need.kind)
        if need.marker == "control-plane":
            there = self._chain(self.topology.control_plane)
            return tuple(e.subject for e in there if isinstance(e, possible))[:1]
        if need.marker == "everywhere":
            return tuple(sorted(path for kind, path in self._seen if kind is need.kind))
        above = [e.subject for e in self._chain(subject) if isinstance(e, possible)]
        if type(subject) not in possible and need.many:
            below = sorted(e.subject for e in self._below(subject) if isinstance(e, possible))
            if below:
                return tuple(below)
        if need.kind in _ON_THE_WAY:
            above = [path for path in above if self._has(need, path)] or above
        return tuple(above[:1])

    def _has(self, need: Need, path: str) -> bool:
        looks = self._seen.get((need.kind, path), ())
        return any(need.marker in ("", look.vantage.place) for look in looks)

    def _chain(self, subject: Entity) -> tuple[Entity, ...]:
        """The entity and those it depends on, nearest first."""
        path = subject.subject
        if path not in self._chains:
            self._chains[path] = self._walk(subject)
        return self._chains[path]

    def _walk(self, subject: Entity) -> tuple[Entity, ...]:
        control_plane = self.topology.control_plane
        if isinstance(subject, KeptnService):
            parts = (
                subject, self.endpoint_of(subject), self.plane_of(subject),
                control_plane,
            )  # fmt: skip
            return tuple(part for part in parts if part is not None)
        if isinstance(subject, ControlPlane):
            own = [e for e in self.topology.endpoints if e.used_by_operator]
            return (subject, *sorted(own, key=lambda e: e.subject))
        return (subject, control_plane)

    def _below(self, subject: Entity) -> tuple[Entity, ...]:
        services = self.topology.services
        if isinstance(subject, Endpoint):
            return tuple(s for s in services if self.endpoint_of(s) is subject)
        if isinstance(subject, ExecutionPlane):
            return tuple(s for s in services if s.plane == subject.name)
        if isinstance(subject, ControlPlane):
            return (*self.topology.execution_planes, *self.topology.endpoints, *services)
        return ()


def judged_services(topology: Topology) -> tuple[KeptnService, ...]:
    """The services that get a verdict: the control plane's own are judged as its components."""
    return tuple(s for s in topology.services if s.belongs_to == "execution-plane")


def entities_about(topology: Topology, about: type) -> tuple[Entity, ...]:
    """The subjects of a check, in the order of their paths."""
    if about is KeptnService:
        return tuple(sorted(judged_services(topology), key=lambda s: s.subject))
    chosen: Iterable[Entity] = (e for e in topology.entities() if isinstance(e, about))
    return tuple(sorted(chosen, key=lambda e: e.subject))


def _kind_of(observation: Observation) -> type | None:
    if isinstance(observation.result, Failure):
        return fact_of(observation.probe)
    return type(observation.result)


def _preference(observation: Observation) -> tuple[bool, bool, str]:
    failed = isinstance(observation.result, Failure)
    return (failed, observation.vantage.place != "operator", observation.id)


def _elsewhere(observation: Observation, namespace: str) -> bool:
    """A plane has one such fact per namespace; a service's own namespace comes first."""
    fact = observation.result
    return isinstance(fact, kube_facts.NamespaceFacts) and fact.namespace != namespace
