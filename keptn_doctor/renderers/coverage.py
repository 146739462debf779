"""The part of the text report that says what could not be looked at, and how to change that."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from keptn_doctor.model.report import Report
from keptn_doctor.renderers.gaps import Gap, gaps, in_words
from keptn_doctor.renderers.page import Page
from keptn_doctor.renderers.symbols import printable
from keptn_doctor.renderers.wording import count

_GAPS_SHOWN = 6
_SUBJECTS_NAMED = 4
_LACKS_SHOWN = 5


def put_coverage(page: Page, report: Report) -> None:
    """What was not seen, the cheapest way to see it first; crashes and unloaded checks too."""
    found = gaps(report)
    undecided = _undecided(report)
    if found or undecided:
        page.blank()
        page.put(Text("NOT SEEN", style="bold"))
    shown = found[: {"short": 1, "normal": _GAPS_SHOWN}.get(page.detail)]
    for gap in shown:
        _put_gap(page, gap)
    if len(found) > len(shown):
        page.put(f"and {count(len(found) - len(shown), 'more gap')}: see --verbose", indent=4)
    if any(gap.is_right for gap in found):
        page.put("keptn-doctor rbac prints manifests with all the rights of a run.", indent=4)
    if undecided and (page.detail != "short" or not found):
        page.put(undecided, label=page.symbols.unknown, indent=2, hang=2)
    _put_own_faults(page, report)


def _put_gap(page: Page, gap: Gap) -> None:
    named = None if page.detail == "verbose" else _SUBJECTS_NAMED
    page.put(printable(in_words(gap, named=named)), label=page.symbols.unknown, indent=2, hang=2)
    if page.detail == "verbose" and (gap.is_right or len(gap.reasons) > 1):
        for reason in gap.reasons:
            page.put(Text(printable(reason), style="dim"), indent=4)
    if gap.unlock:
        text = f"grant the right to {gap.unlock}" if gap.is_right else gap.unlock
        page.put(printable(text), label="To see it:", indent=4, hang=11)


def _undecided(report: Report) -> str:
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
    listed = "; ".join(
        f"{printable(item)} ({n} times)" if n > 1 else printable(item)
        for item, n in tally.most_common(_LACKS_SHOWN)
    )
    left = len(tally) - _LACKS_SHOWN
    more = f"; and {left} more" if left > 0 else ""
    return f"{total} stayed undecided. What would settle them: {listed}{more}."


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
