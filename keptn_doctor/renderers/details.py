"""What ``--verbose`` adds: every finding with its evidence, every look with its time."""

from __future__ import annotations

from itertools import groupby

from rich.text import Text

from keptn_doctor.model.evidence import Observation
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.findings import Finding
from keptn_doctor.model.report import Report
from keptn_doctor.renderers.ladder import layer_name
from keptn_doctor.renderers.page import Page
from keptn_doctor.renderers.symbols import printable

_SIGNS = {
    "pass": "ok",
    "fail": "broken",
    "skip": "not_applicable",
    "unknown": "unknown",
    "crash": "broken",
}


def put_details(page: Page, report: Report) -> None:
    """Findings by subject and layer, then looks, then the times of the stages."""
    if report.findings:
        page.blank()
        page.put(Text(f"ALL FINDINGS ({len(report.findings)})", style="bold"))
    ordered = sorted(report.findings, key=lambda f: (f.subject, f.layer, f.check))
    for subject, findings in groupby(ordered, key=lambda finding: finding.subject):
        page.put(Text(printable(subject), style="bold"), indent=2)
        for finding in findings:
            _put_finding(page, finding)
    if report.evidence:
        page.blank()
        page.put(Text(f"ALL LOOKS ({len(report.evidence)})", style="bold"))
    for observation in report.evidence:
        page.put(printable(_look(observation)), indent=2, hang=2)
    if report.timings:
        page.blank()
        page.put(Text("TIMES", style="bold"))
    for timing in report.timings:
        page.put(f"{timing.stage}  {timing.duration_ms:.0f} ms", indent=2)


def _put_finding(page: Page, finding: Finding) -> None:
    label = f"{getattr(page.symbols, _SIGNS[finding.status])} {finding.status}"
    if finding.status == "fail" and finding.severity != "error":
        label = f"{page.symbols.warning} {finding.severity}"
    heading = f"{layer_name(finding.layer)}/{finding.check}: {printable(finding.summary)}"
    page.put(heading, label=label, indent=4, hang=10)
    if finding.missing:
        page.put(printable(f"lacks {', '.join(finding.missing)}"), indent=14)
    for evidence in finding.evidence:
        page.put(Text(printable(evidence), style="dim"), label="by", indent=14, hang=3)
    for line in finding.detail.splitlines():
        page.put(Text(printable(line), style="dim"), indent=14)


def _look(observation: Observation) -> str:
    result = observation.result
    if isinstance(result, Failure):
        outcome = f"failed: {result.phase}/{result.code}"
        outcome += f" ({result.detail})" if result.detail else ""
    else:
        outcome = f"saw {type(result).__name__}"
    tries = f", {observation.attempts} attempts" if observation.attempts > 1 else ""
    return f"{observation.id}  {outcome}  {observation.duration_ms:.0f} ms{tries}"
