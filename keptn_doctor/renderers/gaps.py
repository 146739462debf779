"""What a run could not see, arranged by what would let it see: one gap per missing key.

A report lists looks that were not taken and looks that failed on the doctor's own way in. Said one
by one they would bury the answer, so all rights that one plane lacks are one gap, and so is
everything that a missing token keeps shut.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

import msgspec

from keptn_doctor.model.base import Record
from keptn_doctor.model.evidence import NotAttempted, Observation
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.report import Report
from keptn_doctor.renderers.wording import count, names

# "list pods in namespace x", the wording of every right, see keptn_doctor.probes.kube_rules.
_RULE = re.compile(r"(?P<verb>get|list|watch|create|delete) (?P<what>\S+)(?P<where> in .+)?")
_EVERYWHERE = " in all namespaces"
# A failed look at the path itself is a finding and no gap, unless the run cut it short.
_ON_THE_PATH = frozenset(
    {"dns", "tcp", "tls", "http", "gateway-answers", "local-api", "sdk-health"}
)
_CUT_SHORT = frozenset({"deadline-exceeded", "interrupted", "probe-crashed", "forbidden"})
_CLUSTER = "cluster"  # the first look at a cluster: whether it can be asked at all
_ANSWERS = frozenset({"not-found", "gone", "resource-not-served", "pod-not-running"})


class Gap(Record, frozen=True, kw_only=True):
    """Something that was not seen and what opens it."""

    probes: tuple[str, ...]
    subjects: tuple[str, ...]
    reasons: tuple[str, ...]
    unlock: str = ""
    is_right: bool = False

    @property
    def looks(self) -> int:
        return len(self.probes) * len(self.subjects)


def gaps(report: Report) -> tuple[Gap, ...]:
    """All gaps, those that can be closed first, the widest first."""
    noted = {(note.subject, note.unlock) for note in report.coverage if note.unlock}
    failed = (_as_note(look) for look in report.evidence if _is_gap(look))
    notes = [
        *report.coverage,
        *(note for note in failed if (note.subject, note.unlock) not in noted),
    ]
    contexts = _contexts(report)
    alike: dict[tuple[str, ...], list[NotAttempted]] = {}
    for note in notes:
        alike.setdefault(_key(note), []).append(_with_way_in(note, contexts))
    found = [_gap(group) for group in alike.values()]
    return tuple(sorted(found, key=_cheapest_and_widest_first))


def _cheapest_and_widest_first(gap: Gap) -> tuple[bool, bool, int]:
    return (_CLUSTER not in gap.probes, not gap.unlock, -gap.looks)


def _contexts(report: Report) -> dict[str, str]:
    planes = {plane.subject: plane.context for plane in report.execution_planes}
    return {report.control_plane.subject: report.control_plane.context, **planes}


def _with_way_in(note: NotAttempted, contexts: Mapping[str, str]) -> NotAttempted:
    """A cluster that could not be reached at all opens with what kubectl needs, too."""
    context = contexts.get(note.subject, "")
    if note.probe != _CLUSTER or note.unlock or not context:
        return note
    unlock = f"make this work first: kubectl --context {shlex.quote(context)} version"
    return msgspec.structs.replace(note, unlock=unlock)


def _is_gap(look: Observation) -> bool:
    if not isinstance(look.result, Failure):
        return False
    if look.probe == "pod-probe":
        return True  # it was asked for, and could not be had
    if look.result.code in _ANSWERS:
        return False
    return look.result.code in _CUT_SHORT or look.probe not in _ON_THE_PATH


def _as_note(look: Observation) -> NotAttempted:
    assert isinstance(look.result, Failure)
    return NotAttempted(
        probe=look.probe,
        subject=look.subject,
        reason=look.result.detail or look.result.code,
        unlock=look.result.right,
        kind="right" if look.result.right else "unreachable",
    )


def _is_rule(note: NotAttempted) -> bool:
    return note.kind == "right" and bool(_RULE.fullmatch(note.unlock))


def _key(note: NotAttempted) -> tuple[str, ...]:
    if note.unlock and not _is_rule(note):
        return ("unlock", note.unlock, note.reason)
    parts = note.subject.split("/")
    place = "/".join(parts[:2]) if parts[0] == "control-plane" else parts[0]
    if _is_rule(note):
        return ("right", place)
    return ("reason", place, note.probe) if "://" not in note.subject else ("reason", note.reason)


def _gap(notes: list[NotAttempted]) -> Gap:
    right = _is_rule(notes[0])
    return Gap(
        probes=tuple(dict.fromkeys(note.probe for note in notes)),
        subjects=tuple(dict.fromkeys(note.subject for note in notes)),
        reasons=tuple(dict.fromkeys(note.reason for note in notes)),
        unlock=rights(note.unlock for note in notes) if right else notes[0].unlock,
        is_right=right,
    )


def rights(rules: Iterable[str]) -> str:
    """Rules that share verb and place in one phrase: ``list pods, events in namespace x``.

    What is wanted in all namespaces is not asked for in single ones as well.
    """
    places: dict[tuple[str, str], list[str]] = {}
    for match in map(_RULE.fullmatch, dict.fromkeys(rules)):
        if match:
            places.setdefault((match["verb"], match["where"] or ""), []).append(match["what"])
    phrases = []
    for (verb, where), wanted in sorted(places.items()):
        anyway = places.get((verb, _EVERYWHERE), []) if where != _EVERYWHERE else []
        if what := [item for item in wanted if item not in anyway]:
            phrases.append(f"{verb} {', '.join(what)}{where}")
    return "; ".join(phrases)


def in_words(gap: Gap, *, named: int | None) -> str:
    """The gap as one sentence, without its way out."""
    subjects = names(gap.subjects, limit=named)
    if gap.is_right:
        return f"{', '.join(gap.probes)} of {subjects}: a right is missing"
    others = len(gap.reasons) - 1
    more = f" (and {count(others, 'more reason')})" if others else ""
    return f"{', '.join(gap.probes)} of {subjects}: {gap.reasons[0]}{more}"
