"""The part of the text report on the doctor's own way in: what kept it from seeing more.

Nothing here is wrong with Keptn. It stands apart from the warnings because it has a next command,
and because what it shut may be broken.
"""

from __future__ import annotations

from rich.text import Text

from keptn_doctor.model.findings import Finding, Layer
from keptn_doctor.model.report import Report
from keptn_doctor.renderers.page import Page
from keptn_doctor.renderers.symbols import printable

_LABEL = 10
_SHOWN = 3


def put_way_in(page: Page, report: Report) -> None:
    """One paragraph for each thing in the way, a few of a kind at most."""
    alike: dict[str, list[Finding]] = {}
    for finding in report.warnings:
        if finding.status == "fail" and finding.layer is Layer.ACCESS:
            alike.setdefault(finding.check, []).append(finding)
    for check, findings in alike.items():
        shown = findings if page.detail == "verbose" else findings[:_SHOWN]
        for finding in shown:
            _put(page, finding, check)
        if left := len(findings) - len(shown):
            page.put(f"and {left} more of this kind: --verbose shows all", indent=2)


def _put(page: Page, finding: Finding, check: str) -> None:
    page.blank()
    title = Text("WAY IN", style="bold magenta")
    title.append(f"  {check} {page.symbols.dash} {printable(finding.subject)}", style="default")
    page.put(title)
    page.put(Text(printable(finding.summary), style="bold"), indent=2)
    if finding.remedy:
        page.put(printable(finding.remedy), label="Mend it", indent=2, hang=_LABEL)
    if finding.command:
        page.put("", label="Run next", indent=2, hang=_LABEL)
        page.command(printable(finding.command), indent=4)
