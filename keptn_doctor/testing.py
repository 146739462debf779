"""For authors of checks: worlds made by hand, and the contract that every check must pass.

A world is a snapshot of entities and what was seen of them::

    SERVICE = keptn_service(endpoint="https://keptn.example.com/api")
    broken = world(SERVICE, seen(SERVICE, LocalApiAnswer(...), pod="helm-service-0"))
    finding = run_check(the_check, broken)[0]

The contract (``CONTRACT``) is a tuple of functions of an ``Entry``: a check with examples in which
it fails and passes. Parametrise a test over both; each function raises AssertionError with a
sentence that says what is wrong. Nothing here opens a socket or needs pytest.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from urllib.parse import urlsplit

import msgspec

from keptn_doctor.judge import judge
from keptn_doctor.knowledge.behaviour import client_behaviour
from keptn_doctor.model.evidence import NotAttempted, Observation, Snapshot
from keptn_doctor.model.facts import Fact
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.findings import Check, Finding
from keptn_doctor.model.probe_names import FACT_OF_PROBE
from keptn_doctor.model.topology import (
    OPERATOR,
    ControlPlane,
    Endpoint,
    Entity,
    ExecutionPlane,
    KeptnService,
    Topology,
    Vantage,
)
from keptn_doctor.needs import Need

NOW = datetime(2023, 6, 1, 12, 0, tzinfo=UTC)
HEADINGS = ("Meaning", "Decided by", "What to do", "False alarms")

_PROBE_OF_FACT = {fact: probe for probe, fact in FACT_OF_PROBE.items()}


def ago(seconds: float) -> datetime:
    """A time before the moment the evidence was taken (``NOW``)."""
    return NOW - timedelta(seconds=seconds)


def keptn_service(name: str = "helm-service", **settings: object) -> KeptnService:
    """A distributor-based service of plane exec-a, namespace keptn-exec; override any field.

    Its behaviour follows from ``client`` and ``client_version``.
    """
    usual: dict[str, object] = {
        "plane": "exec-a",
        "namespace": "keptn-exec",
        "name": name,
        "container": "distributor",
        "service_container": name,
        "image": "docker.io/keptn/distributor:0.16.2",
        "client_version": "0.16.2",
        "mode": "remote",
        "endpoint": "https://keptn.example.com/api",
        "integration_name": name,
        "integration_namespace": "keptn-exec",
        "topics": ("sh.keptn.event.deployment.triggered",),
    }
    usual.update(settings)
    if "behaviour" not in usual:
        client, version = usual.get("client", "distributor"), str(usual["client_version"])
        usual["behaviour"] = client_behaviour("sdk" if client == "sdk" else "distributor", version)
    return msgspec.convert(usual, KeptnService, from_attributes=True)


def endpoint(url: str, *services: KeptnService, used_by_operator: bool = False) -> Endpoint:
    """An endpoint taken apart as discovery does it, for the services told to call it."""
    parts = urlsplit(url)
    scheme = parts.scheme if parts.scheme in ("http", "https") and parts.netloc else ""
    return Endpoint(
        url=url,
        scheme=scheme,
        host=parts.hostname or "" if scheme else "",
        port=(parts.port or (443 if scheme == "https" else 80)) if scheme else 0,
        path=parts.path if scheme else "",
        services=tuple(s.subject for s in services),
        used_by_operator=used_by_operator,
        defect="" if scheme else "has no scheme",
    )


def seen(
    subject: Entity | str, result: Fact | Failure, *, pod: str = "", probe: str = "", part: str = ""
) -> Observation:
    """One look: a fact, or a failure together with the name of the probe that failed.

    ``pod`` makes it a look from inside that pod; ``part`` tells looks at one subject apart.
    """
    path = subject if isinstance(subject, str) else subject.subject
    if not probe:
        if isinstance(result, Failure):
            raise ValueError("a failure needs the name of its probe: nothing else tells the fact")
        probe = _PROBE_OF_FACT[type(result)]
    vantage = Vantage(place="inside", pod=f"{path}/{pod}") if pod else OPERATOR
    suffix = f"#{part}" if part else ""
    return Observation(
        id=f"{probe}/{path}{suffix}@{vantage}",
        probe=probe,
        subject=path,
        vantage=vantage,
        started_at=NOW,
        result=result,
    )


def world(*things: Entity | Observation | NotAttempted, taken_at: datetime = NOW) -> Snapshot:
    """A snapshot of these entities and looks.

    What is left out follows from the services: their planes, their endpoints, a control plane.
    """
    entities = [thing for thing in things if not isinstance(thing, Observation | NotAttempted)]
    return Snapshot(
        taken_at=taken_at,
        doctor_version="0",
        topology=_topology(entities),
        observations=_distinct(thing for thing in things if isinstance(thing, Observation)),
        not_attempted=tuple(thing for thing in things if isinstance(thing, NotAttempted)),
    )


def run_check(check: Check, snapshot: Snapshot) -> tuple[Finding, ...]:
    """The findings of one check, one per subject, as the engine completes them."""
    return judge(snapshot, (check,))


def _topology(entities: list[Entity]) -> Topology:
    services = [e for e in entities if isinstance(e, KeptnService)]
    planes = {e.name: e for e in entities if isinstance(e, ExecutionPlane)}
    endpoints = {e.url: e for e in entities if isinstance(e, Endpoint)}
    for service in services:
        if service.belongs_to == "execution-plane" and service.plane not in planes:
            planes[service.plane] = ExecutionPlane(name=service.plane, context=service.plane)
        if service.endpoint and service.endpoint not in endpoints:
            users = [s for s in services if s.endpoint == service.endpoint]
            endpoints[service.endpoint] = endpoint(service.endpoint, *users)
    control_planes = [e for e in entities if isinstance(e, ControlPlane)]
    return Topology(
        control_plane=control_planes[0] if control_planes else ControlPlane(namespace="keptn"),
        execution_planes=tuple(planes.values()),
        endpoints=tuple(endpoints.values()),
        services=tuple(services),
    )


def _distinct(looks: Iterable[Observation]) -> tuple[Observation, ...]:
    """Ids are unique in a snapshot; looks at one thing are numbered as the recorder does it."""
    counts: dict[str, int] = {}
    out = []
    for look in looks:
        count = counts[look.id] = counts.get(look.id, 0) + 1
        numbered = f"{look.id}~{count}" if count > 1 else look.id
        out.append(msgspec.structs.replace(look, id=numbered))
    return tuple(out)


# ------------------------------------------------------------------ the contract


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A check with its examples and the catalogue it lives in."""

    check: Check
    fails: tuple[Snapshot, ...] = ()
    passes: tuple[Snapshot, ...] = ()
    catalogue: tuple[Check, ...] = ()

    @property
    def examples(self) -> tuple[Snapshot, ...]:
        return self.fails + self.passes


def fails_and_passes_in_its_examples(entry: Entry) -> None:
    """At least one world in which it fails, at least one in which it passes."""
    assert entry.fails, f"{entry.check.id} has no example in which it fails"
    assert entry.passes, f"{entry.check.id} has no example in which it passes"
    for number, snapshot in enumerate(entry.fails):
        findings = run_check(entry.check, snapshot)
        assert "fail" in _statuses(findings), f"FAILS[{number}] gives {_told(findings)}"
    for number, snapshot in enumerate(entry.passes):
        statuses = _statuses(run_check(entry.check, snapshot))
        assert "pass" in statuses, f"PASSES[{number}] gives {statuses}"
        assert "fail" not in statuses, f"PASSES[{number}] gives {statuses}"


def never_passes_in_an_empty_world(entry: Entry) -> None:
    """With every entity there and nothing seen of it, nothing may be called fine."""
    for snapshot in entry.examples:
        empty = msgspec.structs.replace(snapshot, observations=(), not_attempted=())
        if not any(need.is_fact for need in entry.check.needs):
            continue  # it judges settings, which are part of the topology
        findings = run_check(entry.check, empty)
        assert "pass" not in _statuses(findings), _told(findings)


def is_unknown_when_a_needed_look_failed(entry: Entry) -> None:
    """Each needed fact replaced by a failure gives "unknown", with what would unlock it."""
    for need in entry.check.needs:
        if not need.is_fact or need.optional or need.takes_failure:
            continue
        for snapshot in entry.examples:
            blind = _without(snapshot, need)
            for finding in run_check(entry.check, blind):
                about = f"without {need.kind.__name__}: {finding.status}: {finding.summary}"
                assert finding.status == "unknown", about
                assert finding.missing, about


def does_not_depend_on_the_order_of_evidence(entry: Entry) -> None:
    """Shuffled observations give the same findings."""
    for snapshot in entry.examples:
        expected = run_check(entry.check, snapshot)
        for seed in range(5):
            looks = list(snapshot.observations)
            random.Random(seed).shuffle(looks)  # noqa: S311 - an order, not a secret
            shuffled = msgspec.structs.replace(snapshot, observations=tuple(looks))
            assert run_check(entry.check, shuffled) == expected


def judges_the_same_twice(entry: Entry) -> None:
    """No state, no clock: judged again, the same."""
    for snapshot in entry.examples:
        assert run_check(entry.check, snapshot) == run_check(entry.check, snapshot)


def never_crashes_on_missing_evidence(entry: Entry) -> None:
    """Any one look missing or failed gives a finding, never an exception."""
    for snapshot in entry.examples:
        for index, look in enumerate(snapshot.observations):
            rest = snapshot.observations[:index] + snapshot.observations[index + 1 :]
            failed = msgspec.structs.replace(look, result=_FAILED)
            for looks in (rest, (*rest, failed)):
                world_now = msgspec.structs.replace(snapshot, observations=looks)
                findings = run_check(entry.check, world_now)
                assert "crash" not in _statuses(findings), _told(findings)


def is_documented(entry: Entry) -> None:
    """A title that ends as a sentence, and four headings in order, each with text."""
    doc = entry.check.doc
    assert entry.check.title.endswith("."), f"title: {entry.check.title!r} is no sentence"
    positions = [_heading(doc, heading) for heading in HEADINGS]
    assert positions == sorted(positions), f"the headings are not in the order {HEADINGS}"


def has_the_name_of_its_file(entry: Entry) -> None:
    """The id is in lower case with dashes, and is the file's name."""
    file = PurePath(entry.check.judge.__code__.co_filename)
    assert entry.check.id == file.stem.replace("_", "-")
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", entry.check.id), entry.check.id
    assert re.fullmatch(r"\d+\.\d+", entry.check.since), f"since: {entry.check.since!r}"


def is_explained_by_checks_that_exist(entry: Entry) -> None:
    """Every ``explained_by`` names a check of the catalogue, and no chain leads back."""
    edges = {check.id: check.explained_by for check in entry.catalogue}
    edges[entry.check.id] = entry.check.explained_by
    unknown = [name for name in entry.check.explained_by if name not in edges]
    assert not unknown, f"explained_by names {unknown}, which are no checks"
    _walk(entry.check.id, edges, ())


def speaks_in_sentences(entry: Entry) -> None:
    """Every summary ends as a sentence; every fail has a remedy that does."""
    for snapshot in entry.examples:
        for finding in run_check(entry.check, snapshot):
            assert finding.summary.rstrip("”)").endswith((".", "?")), finding.summary
            if finding.status == "fail":
                assert finding.remedy.endswith("."), f"remedy: {finding.remedy!r}"


CONTRACT: tuple[Callable[[Entry], None], ...] = (
    fails_and_passes_in_its_examples,
    never_passes_in_an_empty_world,
    is_unknown_when_a_needed_look_failed,
    does_not_depend_on_the_order_of_evidence,
    judges_the_same_twice,
    never_crashes_on_missing_evidence,
    is_documented,
    has_the_name_of_its_file,
    is_explained_by_checks_that_exist,
    speaks_in_sentences,
)

_FAILED = Failure(
    phase="kube", code="forbidden", detail="made to fail by the contract", right="do it", status=403
)


def _without(snapshot: Snapshot, need: Need) -> Snapshot:
    looks = tuple(
        msgspec.structs.replace(look, probe=_PROBE_OF_FACT[need.kind], result=_FAILED)
        if isinstance(look.result, need.kind)
        else look
        for look in snapshot.observations
    )
    return msgspec.structs.replace(snapshot, observations=looks)


def _statuses(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(sorted({finding.status for finding in findings}))


def _told(findings: Iterable[Finding]) -> str:
    return "; ".join(f"{f.status} of {f.subject}: {f.summary} {f.detail}" for f in findings)


def _heading(doc: str, heading: str) -> int:
    match = re.search(rf"^{heading} {{2,}}\S", doc, re.MULTILINE)
    assert match, f"the docstring has no text under {heading!r}"
    return match.start()


def _walk(name: str, edges: dict[str, tuple[str, ...]], path: tuple[str, ...]) -> None:
    assert name not in path, f"explained_by goes in a circle: {' <- '.join((*path, name))}"
    for cause in edges.get(name, ()):
        _walk(cause, edges, (*path, name))
