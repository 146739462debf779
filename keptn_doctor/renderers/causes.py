"""The part of the text report that says why, what mends it and what to run next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.text import Text

from keptn_doctor.model.findings import Finding, Layer
from keptn_doctor.model.report import Report, RootCause
from keptn_doctor.renderers.page import Page
from keptn_doctor.renderers.symbols import printable
from keptn_doctor.renderers.wording import count, names

_LABEL = 10
_SERVICES_NAMED = 6
_CHECKS_NAMED = 4
_WARNINGS_SHOWN = 10
_MANY = 24  # causes
_OF_A_KIND = 2
_SUBJECTS_NAMED = 20


def put_causes(page: Page, report: Report) -> None:
    """Every root cause, in the report's order, numbered as the verdicts refer to them.

    Of very many only the first of each kind are told; the others have a line for all of them.
    """
    folds = len(report.causes) > _MANY and page.detail != "verbose"
    told: dict[str, int] = {}
    more: dict[str, list[str]] = {}
    for number, cause in enumerate(report.causes, start=1):
        check = cause.finding.check
        told[check] = told.get(check, 0) + 1
        if folds and told[check] > _OF_A_KIND:
            more.setdefault(check, []).append(cause.finding.subject)
            continue
        page.blank()
        _put_cause(page, report, cause, number)
    for check, subjects in more.items():
        page.blank()
        title = Text(f"AND {len(subjects)} MORE CAUSES of the kind {check}", "bold red")
        page.put(title)
        page.put(f"{printable(names(subjects, limit=_SUBJECTS_NAMED))}: see --verbose", indent=2)


def _put_cause(page: Page, report: Report, cause: RootCause, number: int) -> None:
    finding = cause.finding
    kind = "LIKELY CAUSE" if finding.suspected else "CAUSE"
    style = "bold yellow" if finding.suspected else "bold red"
    title = Text(f"{kind} {number}", style=style)
    title.append(
        f"  {finding.check} {page.symbols.dash} {printable(finding.subject)}", style="default"
    )
    page.put(title)
    page.put(Text(printable(finding.summary), style="bold"), indent=2)
    if finding.suspected:
        page.put("Not proven for the Keptn service itself: seen from elsewhere.", indent=2)
    if cause.services:
        page.put(_affected(page, report, cause), label="Breaks", indent=2, hang=_LABEL)
    if page.detail != "short":
        if finding.detail.startswith("“"):
            page.put(printable(finding.detail), label="Log", indent=2, hang=_LABEL)
        _put_follow_ups(page, cause)
    if finding.remedy:
        page.put(printable(finding.remedy), label="Mend it", indent=2, hang=_LABEL)
    if finding.command:
        page.put("", label="Run next", indent=2, hang=_LABEL)
        page.command(printable(finding.command), indent=4)


def _affected(page: Page, report: Report, cause: RootCause) -> str:
    total = len(report.verdicts)
    if len(cause.services) == total > 2:
        return f"all {total} Keptn services"
    limit = None if page.detail == "verbose" else _SERVICES_NAMED
    listed = printable(names(cause.services, limit=limit))
    if len(cause.services) == 1:
        return listed
    return f"{count(len(cause.services), 'Keptn service')}: {listed}"


def _put_follow_ups(page: Page, cause: RootCause) -> None:
    others = [f for f in cause.consequences if f.check != cause.finding.check]
    same = _of_other_checks(cause, others)
    for check, findings in same.items():
        more = f" (and {count(len(findings) - 1, 'more subject')})" if findings[1:] else ""
        text = f"{check}: {printable(findings[0].summary)}{more}"
        page.put(text, label="Seen as", indent=2, hang=_LABEL)
    others = [f for f in others if f.check not in same]
    if others:
        page.put(_by_check(page, others), label="Explains", indent=2, hang=_LABEL)
    if cause.blocked:
        text = f"{count(len(cause.blocked), 'check')} that could not be decided"
        page.put(text, label="Blocks", indent=2, hang=_LABEL)


def _of_other_checks(cause: RootCause, findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """What other checks say of the same broken thing, by check."""
    same: dict[str, list[Finding]] = {}
    for finding in findings:
        if cause.is_about(finding):
            same.setdefault(finding.check, []).append(finding)
    return same


def _by_check(page: Page, findings: Iterable[Finding]) -> str:
    tally = Counter(finding.check for finding in findings)
    shown = tally.most_common(None if page.detail == "verbose" else _CHECKS_NAMED)
    text = ", ".join(check if n == 1 else f"{check} ({n} times)" for check, n in shown)
    left = len(tally) - len(shown)
    return f"{text} and {count(left, 'more check')}" if left else text


def put_warnings(page: Page, report: Report) -> None:
    """What is wrong but breaks nothing: one line per check."""
    alike: dict[str, list[Finding]] = {}
    warned = [f for f in report.warnings if f.status == "fail" and f.layer is not Layer.ACCESS]
    for finding in warned:
        alike.setdefault(finding.check, []).append(finding)
    if not alike:
        return
    page.blank()
    page.put(Text(f"WARNINGS ({len(warned)}): these break no connection", style="bold"))
    limit = len(alike) if page.detail == "verbose" else _WARNINGS_SHOWN
    for check, findings in list(alike.items())[:limit]:
        more = f" And {len(findings) - 1} more of this kind." if len(findings) > 1 else ""
        text = Text(f"{printable(findings[0].summary)}{more}")
        text.append(f"  [{check}]", style="dim")
        page.put(text, label=page.symbols.warning, indent=2, hang=2)
    if len(alike) > limit:
        page.put(f"and {count(len(alike) - limit, 'more kind')}: --verbose shows all", indent=4)
