"""The part of the text report that says what could not be looked at, and how to change that."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from keptn_doctor.model.evidence import NotAttempted
from keptn_doctor.model.report import Report
from keptn_doctor.renderers.page import Page
from keptn_doctor.renderers.symbols import printable
from keptn_doctor.renderers.wording import count, names

_GROUPS_SHOWN = 5
_SUBJECTS_NAMED = 4
_LACKS_SHOWN = 6


def put_coverage(page: Page, report: Report) -> None:
    """What was not seen, the cheapest way to see it first; crashes and unloaded checks too."""
    groups = _by_unlock(report.coverage)
    lacks = _lacks(report)
    if groups or lacks:
        page.blank()
        number = f" ({len(report.coverage)})" if report.coverage else ""
        page.put(Text(f"NOT SEEN{number}", style="bold"))
    shown = groups[: {"short": 1, "normal": _GROUPS_SHOWN}.get(page.detail)]
    for notes in shown:
        _put_group(page, notes)
    if len(groups) > len(shown):
        page.put(f"and {count(len(groups) - len(shown), 'more reason')}: see --verbose", indent=4)
    if any(note.kind == "right" for note in report.coverage):
        page.put("keptn-doctor rbac prints manifests with all the rights of a run.", indent=4)
    if lacks and (page.detail != "short" or not groups):
        page.put(lacks, label=page.symbols.unknown, indent=2, hang=2)
    _put_own_faults(page, report)


def _by_unlock(coverage: tuple[NotAttempted, ...]) -> list[list[NotAttempted]]:
    """Notes with one reason and one way out together; what opens most comes first."""
    alike: dict[tuple[str, str], list[NotAttempted]] = {}
    for note in coverage:
        alike.setdefault((note.reason, note.unlock), []).append(note)
    return sorted(alike.values(), key=lambda notes: (not notes[0].unlock, -len(notes)))


def _put_group(page: Page, notes: list[NotAttempted]) -> None:
    probes = ", ".join(dict.fromkeys(note.probe for note in notes))
    limit = None if page.detail == "verbose" else _SUBJECTS_NAMED
    subjects = names((note.subject for note in notes), limit=limit)
    text = f"{probes} of {subjects}: {notes[0].reason}"
    page.put(printable(text), label=page.symbols.unknown, indent=2, hang=2)
    if unlock := notes[0].unlock:
        is_rule = notes[0].kind == "right" and not unlock.startswith("grant ")
        text = f"grant the right to {unlock}" if is_rule else unlock
        page.put(printable(text), label="To see it:", indent=4, hang=11)


def _lacks(report: Report) -> str:
    """What the undecided checks lacked, when no root cause already explains it."""
    blocked = {(f.check, f.subject) for cause in report.causes for f in cause.blocked}
    undecided = [
        f for f in report.findings if f.status == "unknown" and (f.check, f.subject) not in blocked
    ]
    if not undecided:
        return ""
    tally = Counter(item for finding in undecided for item in finding.missing)
    total = count(len(undecided), "judgement")
    if not tally:
        return f"{total} stayed undecided: --verbose names them."
    listed = ", ".join(
        f"{printable(item)} ({n} times)" if n > 1 else printable(item)
        for item, n in tally.most_common(_LACKS_SHOWN)
    )
    left = len(tally) - _LACKS_SHOWN
    more = f" and {left} more" if left > 0 else ""
    return f"{total} stayed undecided for want of {listed}{more}."


def _put_own_faults(page: Page, report: Report) -> None:
    crashed = [finding for finding in report.findings if finding.status == "crash"]
    if not crashed and not report.plugin_errors:
        return
    page.blank()
    page.put(Text("FAULTS OF THE DOCTOR", style="bold"))
    for finding in crashed:
        text = f"check {finding.check} crashed at {finding.subject}: {finding.summary}"
        page.put(printable(text), label=page.symbols.broken, indent=2, hang=2)
    for error in report.plugin_errors:
        page.put(printable(error), label=page.symbols.broken, indent=2, hang=2)
