"""The report for people: verdicts first, then causes with what mends them, then what is missing.

Written for whoever is called at 3 a.m.: the first line is the answer, no colour or font carries
meaning alone, nothing that is fine takes more than a line, and every command can be pasted.
"""

from __future__ import annotations

import re
from collections import Counter

from rich.text import Text

from keptn_doctor import exit_codes
from keptn_doctor.model.base import Record
from keptn_doctor.model.report import Report, Verdict
from keptn_doctor.reading.lists import first_of
from keptn_doctor.renderers import ladder
from keptn_doctor.renderers.causes import put_causes, put_warnings
from keptn_doctor.renderers.coverage import put_coverage
from keptn_doctor.renderers.details import put_details
from keptn_doctor.renderers.page import UNWRAPPED, Detail, Page
from keptn_doctor.renderers.round_trips import put_round_trips
from keptn_doctor.renderers.symbols import ASCII, UNICODE, printable, typewritten
from keptn_doctor.renderers.times import put_times
from keptn_doctor.renderers.views import put_views
from keptn_doctor.renderers.way_in import put_way_in
from keptn_doctor.renderers.wording import cause_key, count, names

_WORST_FIRST = ("disconnected", "degraded", "unknown", "connected")
_STYLES = {
    "disconnected": "bold red",
    "degraded": "bold yellow",
    "unknown": "bold magenta",
    "connected": "bold green",
}
_SIGNS = {
    "disconnected": "broken",
    "degraded": "degraded",
    "unknown": "unknown",
    "connected": "ok",
}
_RUNG_STYLES = {
    "ok": "green",
    "broken": "bold red",
    "degraded": "bold yellow",
    "unknown": "magenta",
    "blocked": "dim",
    "not-applicable": "dim",
}
_PROGRAMS = ("kubectl ", "keptn-doctor ", "keptn ", "helm ", "curl ")
_VERDICT_WIDTH = len("x DISCONNECTED  ")
_HEADLINE_LENGTH = 200  # three lines of a narrow terminal at most
_MAIN_CLAUSE = re.compile(r"([^(;]+)(?: \(.*\)\.?(?: [A-Z].*)?|; .*)", re.DOTALL)
_SCREENFUL = 15  # more rows than this push the headline off the screen: it is said again
_ROWS = 40  # of Keptn services that fare alike; more than these share one
_NAMED = 30
_CAUSES_NAMED = 6
_LADDER_WIDTH = len(ladder.PATH) + 2


class TextStyle(Record, frozen=True, kw_only=True):
    """How a text report is to look; the defaults suit a file."""

    width: int = UNWRAPPED  # columns to wrap at, 0 = not at all
    color: bool = False
    unicode: bool = True
    detail: Detail = "normal"


def render(report: Report, style: TextStyle | None = None) -> str:
    """The report as text, ending in a newline."""
    style = style or TextStyle()
    symbols = UNICODE if style.unicode else ASCII
    page = Page(width=style.width, color=style.color, symbols=symbols, detail=style.detail)
    _put_headline(page, report)
    _put_verdicts(page, report)
    put_round_trips(page, report)
    put_causes(page, report)
    put_way_in(page, report)
    if page.detail != "short":
        put_warnings(page, report)
    put_coverage(page, report)
    if page.detail == "verbose":
        put_details(page, report)
    if page.detail != "short":
        _put_footer(page, report)
    if report.times:
        put_times(page, report.times)
    if report.created or report.remaining:
        page.put(f"Audit of the clusters: created {report.created}, remaining {report.remaining}")
    return page.text() if style.unicode else typewritten(page.text())


def _put_headline(page: Page, report: Report) -> None:
    worst = next(
        (word for word in _WORST_FIRST if any(v.connection == word for v in report.verdicts)),
        "unknown",
    )
    if report.exit_code == exit_codes.UNKNOWN:
        worst = "unknown"  # all that was found is connected, but not all could be searched
    sign = ladder.state_sign(_SIGNS[worst], page.symbols)
    headline = printable(_headline(report))
    page.put(Text(headline, style=_STYLES[worst]), label=Text(sign, _STYLES[worst]), hang=2)
    if report.interrupted:
        note = "INTERRUPTED before everything was looked at: what is unknown below may be fine."
        page.put(Text(note, style="bold"), label=page.symbols.warning, hang=2)
    if report.remaining:
        what = count(report.remaining, "object")
        page.put(f"This run left {what} in the clusters. Remove what remains:", indent=2)
        page.command("keptn-doctor cleanup", indent=2)


def _headline(report: Report) -> str:
    """The report's headline; a cause that takes a paragraph is only named in it."""
    if not report.causes or len(report.headline) <= _HEADLINE_LENGTH:
        return report.headline
    main = report.causes[0].finding
    clause = _MAIN_CLAUSE.fullmatch(main.summary)
    brief = report.headline.replace(main.summary, f"{clause[1]}.") if clause else ""
    if brief and len(brief) <= _HEADLINE_LENGTH:
        return brief
    return report.headline.replace(main.summary, f"{main.check}, see cause 1 below.")


def _put_verdicts(page: Page, report: Report) -> None:
    shown = tuple(
        v for v in report.verdicts if page.detail != "short" or v.connection != "connected"
    )
    if not shown:
        return
    numbers = {cause_key(cause): n for n, cause in enumerate(report.causes, start=1)}
    blocks = _blocks(shown)
    if len(blocks) > _ROWS and page.detail != "verbose":
        blocks = _blocks(shown, by_check=True)
    for block in blocks:
        page.blank()
        _put_block(page, block, numbers)
    if legend := ladder.legend(shown, page.symbols):
        page.blank()
        page.put(Text(legend, style="dim"), label=Text("Path: ", style="dim"), indent=2, hang=6)


def _blocks(
    verdicts: tuple[Verdict, ...], *, by_check: bool = False
) -> list[tuple[Verdict, ...]]:
    """Keptn services that fare alike, worst first: they share one explanation.

    ``by_check``: or one kind of explanation, as where every plane has the same trouble of its own.
    """
    alike: dict[tuple[object, ...], list[Verdict]] = {}
    for verdict in sorted(verdicts, key=lambda v: _WORST_FIRST.index(v.connection)):
        states = tuple(rung.state for rung in ladder.rungs(verdict))
        why = tuple(c.partition("@")[0] for c in verdict.causes) if by_check else verdict.causes
        alike.setdefault((verdict.connection, states, why), []).append(verdict)
    return [tuple(block) for block in alike.values()]


def _many(block: tuple[Verdict, ...]) -> str:
    """Too many for a row each: their names, or where they are when they are connected."""
    services = [verdict.service for verdict in block]
    if block[0].connection != "connected":
        return f"{count(len(block), 'Keptn service')}: {names(services, limit=_NAMED)}"
    tally = Counter(service.rpartition("/")[0] for service in services)
    places = [f"{place} ({number})" for place, number in tally.items()]
    return f"{count(len(block), 'Keptn service')}: {first_of(places, limit=_NAMED)}"


def _put_row(page: Page, verdict: Verdict, whose: str) -> None:
    style = _STYLES[verdict.connection]
    sign = ladder.state_sign(_SIGNS[verdict.connection], page.symbols)
    label = Text().append(f"{sign} {verdict.connection.upper()}", style=style)
    label.append(" " * (_VERDICT_WIDTH - len(label)))
    for rung in ladder.rungs(verdict):
        label.append(ladder.state_sign(rung.state, page.symbols), style=_RUNG_STYLES[rung.state])
    page.put(
        Text(printable(whose), style="bold"),
        label=label,
        hang=_VERDICT_WIDTH + _LADDER_WIDTH,
    )


def _put_block(page: Page, block: tuple[Verdict, ...], numbers: dict[str, int]) -> None:
    """The rows of Keptn services that fare alike, then what is said of all of them."""
    if page.detail != "verbose" and len(block) > _ROWS:
        _put_row(page, block[0], _many(block))
    else:
        for verdict in block:
            _put_row(page, verdict, verdict.service)
            if page.detail == "verbose":
                _put_grounds(page, verdict)
    first = block[0]
    keys = dict.fromkeys(key for verdict in block for key in verdict.causes)
    named = [str(numbers[key]) for key in keys if key in numbers]
    if first.connection == "connected":
        _put_proof(page, block)
    elif page.detail != "verbose" and (len(block) == 1 or not named):
        page.put(printable(first.because), indent=4)
    if first.connection != "connected" or page.detail == "verbose" or _imperfect(first):
        listed = first_of(named, limit=_CAUSES_NAMED)
        label = f"cause{'s' * (len(named) > 1)} {listed}: " if named else ""
        page.put(
            "   ".join(ladder.words(first, page.symbols, notes=not named)),
            label=label,
            indent=4,
            hang=len(label),
        )
    for verdict in block if page.detail == "verbose" else block[:1]:
        put_views(page, verdict)
    if first.next_step and not named:
        _put_next_step(page, first, alone=len(block) == 1)


def _put_next_step(page: Page, verdict: Verdict, *, alone: bool) -> None:
    label = "To find out:" if alone else "To find out, for the first:"
    if verdict.next_step.startswith(_PROGRAMS):
        page.put(label, indent=4)
        page.command(printable(verdict.next_step), indent=6)
    else:
        page.put(printable(verdict.next_step), label=label, indent=4, hang=len(label) + 1)


def _put_grounds(page: Page, verdict: Verdict) -> None:
    page.put(printable(verdict.because), indent=4)
    if verdict.proof:
        page.put(printable(verdict.proof), label="proof:", indent=4, hang=7)
    if verdict.vantage:
        rule = f" {page.symbols.separator} rule {printable(verdict.row)}" if verdict.row else ""
        page.put(f"seen from {printable(verdict.vantage)}{rule}", indent=4)


def _put_proof(page: Page, block: tuple[Verdict, ...]) -> None:
    inside = sum(verdict.vantage.startswith("inside") for verdict in block)
    if inside == len(block):
        page.put(Text("proven from inside the execution plane", style="dim"), indent=4)
    elif inside:
        text = f"{inside} of these {len(block)} proven from inside the execution plane"
        page.put(Text(text, style="dim"), indent=4)


def _imperfect(verdict: Verdict) -> bool:
    return any(rung.state not in ("ok", "not-applicable") for rung in ladder.rungs(verdict))


def _put_footer(page: Page, report: Report) -> None:
    page.blank()
    plane = report.control_plane
    version = f"Keptn {printable(plane.version)}" if plane.version else "Keptn version unknown"
    seen = [f"Control plane {printable(plane.name)} ({version})"]
    if report.execution_planes:
        listed = printable(first_of([p.name for p in report.execution_planes], limit=_NAMED))
        seen.append(f"execution plane{'s' * (len(report.execution_planes) > 1)} {listed}")
    run = [f"keptn-doctor {report.doctor_version}", f"{report.taken_at:%Y-%m-%d %H:%M:%S} UTC"]
    if report.evidence:
        run.append(count(len(report.evidence), "look"))
    if report.timings:
        run.append(f"{sum(t.duration_ms for t in report.timings) / 1000:.1f} s")
    for facts in (seen, run):
        page.put(Text(f" {page.symbols.separator} ".join(facts), style="dim"))
    if len(report.verdicts) > _SCREENFUL:
        page.put(Text(printable(_headline(report)), style="bold"))
    page.put(f"Exit code {report.exit_code}: {exit_codes.meaning(report.exit_code)}.")
    first = f"keptn-doctor explain {report.causes[0].finding.check}, " if report.causes else ""
    page.put(f"{first}--verbose, --output json=FILE", label="More: ", hang=6)
