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
from pathlib import PurePath

import msgspec

from keptn_doctor.judgement.judge import judge
from keptn_doctor.judgement.needs import Need
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.findings import Check, Finding
from keptn_doctor.testing_worlds import (
    NOW,
    POD,
    PROBE_OF_FACT,
    REGISTRATION_ID,
    ago,
    component,
    container,
    control_plane_runs,
    endpoint,
    integration,
    keptn_service,
    line,
    own_request,
    pod_log,
    pod_of,
    registered_line,
    seen,
    uniform,
    workload_of,
    world,
)

HEADINGS = ("Meaning", "Decided by", "What to do", "False alarms")


def run_check(check: Check, snapshot: Snapshot) -> tuple[Finding, ...]:
    """The findings of one check, one per subject, as the engine completes them."""
    return judge(snapshot, (check,))


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
    """Every edge names a check of the catalogue, and no chain of them leads back."""
    checks = {check.id: check for check in (*entry.catalogue, entry.check)}
    named = (*entry.check.explained_by, *entry.check.explains)
    unknown = [name for name in named if name not in checks]
    assert not unknown, f"its edges name {unknown}, which are no checks"
    edges = {
        check.id: (
            *check.explained_by,
            *(cause.id for cause in checks.values() if check.id in cause.explains),
        )
        for check in checks.values()
    }
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
        msgspec.structs.replace(look, probe=PROBE_OF_FACT[need.kind], result=_FAILED)
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


__all__ = [
    "CONTRACT", "HEADINGS", "NOW", "POD", "REGISTRATION_ID", "Entry", "ago", "component",
    "container", "control_plane_runs", "endpoint", "integration", "keptn_service", "line",
    "own_request", "pod_log", "pod_of", "registered_line", "run_check", "seen", "uniform",
    "workload_of", "world",
]  # fmt: skip
