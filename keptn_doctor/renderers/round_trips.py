"""The round trips of a run: one line each with its legs and their times, and what they left behind.

A broken leg is named in words and told with its reason; what lies behind it was not reached.
"""

from __future__ import annotations

from rich.text import Text

from keptn_doctor.model.keptn_facts import Hop, RoundTrip
from keptn_doctor.model.report import Report
from keptn_doctor.renderers.page import Page, unbroken
from keptn_doctor.renderers.symbols import printable

_STYLES = {"ok": "bold green", "broken": "bold red", "unknown": "bold magenta"}


def round_trips(report: Report) -> tuple[tuple[str, RoundTrip], ...]:
    """Each trip with the subject path of what it was sent through, in the report's order."""
    own = [(report.control_plane.subject, report.round_trip)]
    own += [(verdict.service, verdict.round_trip) for verdict in report.verdicts]
    return tuple((subject, trip) for subject, trip in own if trip is not None)


def put_round_trips(page: Page, report: Report) -> None:
    """All trips, then what stays behind in Keptn, each thing once."""
    trips = round_trips(report)
    if not trips:
        return
    page.blank()
    page.put(Text("ROUND TRIPS: events that this run sent", style="bold"))
    for subject, trip in trips:
        _put_trip(page, subject, trip)
    made = dict.fromkeys(trip.project for _, trip in trips if _made_project(trip))
    if made:
        page.put(printable(f"Made and removed in Keptn: project {', '.join(made)}."), indent=2)
    left = dict.fromkeys(thing for _, trip in trips for thing in trip.left_behind)
    if left:
        page.put(printable(f"Left in Keptn: {'; '.join(left)}."), indent=2)


def state_of(trip: RoundTrip) -> str:
    """How it ended: "broken" where a leg is known not to have held, "ok", else "unknown"."""
    if trip.broken_at is not None:
        return "broken"
    return "ok" if trip.came_back else "unknown"


def in_words(trip: RoundTrip) -> str:
    """Like "BROKEN at stored after 15.0 s", "came back after 40 ms"."""
    broken = trip.broken_at
    if broken is not None:
        return f"BROKEN at {leg_name(broken)} after {seconds(broken.seconds)}"
    if trip.came_back:
        return f"came back after {seconds(trip.seconds)}"
    return "whether it came back is not certain"


def seconds(value: float) -> str:
    """A duration in the unit that shows something: "40 ms", "1.5 s"."""
    return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def leg_name(hop: Hop) -> str:
    return hop.leg.replace("-", " ")


def _put_trip(page: Page, subject: str, trip: RoundTrip) -> None:
    state = state_of(trip)
    style = _STYLES[state]
    label = Text("  ").append(str(getattr(page.symbols, state)), style=style)
    parts = [unbroken(_leg(hop)) for hop in trip.hops if hop.state != "not-reached"]
    text = Text(printable(subject), style="bold")
    text.append(f"  {in_words(trip)}: ", style=style if state != "ok" else "default")
    text.append(", ".join(parts), style="default")
    unreached = [leg_name(hop) for hop in trip.hops if hop.state == "not-reached"]
    if unreached:
        text.append(f"; not reached: {', '.join(unreached)}", style="default")
    page.put(text, label=label, hang=4)
    for hop in trip.hops:
        told = hop.state in ("failed", "unknown") or page.detail == "verbose"
        if hop.detail and told:
            page.put(printable(hop.detail), label=f"{leg_name(hop)}:", indent=4, hang=2)


def _leg(hop: Hop) -> str:
    word = {"failed": " FAILED", "unknown": " (not certain)"}.get(hop.state, "")
    return f"{leg_name(hop)}{word} {seconds(hop.seconds)}"


def _made_project(trip: RoundTrip) -> bool:
    """Whether a project was made for it and is gone again; one that is left is told as such."""
    states = {hop.leg: hop.state for hop in trip.hops}
    return states.get("project-made") == "ok" and states.get("project-removed") == "ok"
