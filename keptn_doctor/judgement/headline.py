"""The sentence on top of a report: the verdicts, what could not be seen, the main cause.

It is read on a phone at night, and first of all: it names a few and counts the rest.
"""

from __future__ import annotations

from keptn_doctor.model.findings import Connection, Finding
from keptn_doctor.model.report import RootCause, Verdict
from keptn_doctor.reading.lists import in_a_sentence

_PLANES_NAMED = 3
_WORST_FIRST: tuple[Connection, ...] = ("disconnected", "degraded", "unknown", "connected")


def headline(
    verdicts: tuple[Verdict, ...],
    causes: tuple[RootCause, ...],
    *,
    unseen: tuple[str, ...] = (),
    in_the_way: tuple[Finding, ...] = (),
) -> str:
    """The verdicts of what was seen, the main cause, and which planes were not seen at all.

    ``in_the_way`` is what the doctor ran into on its own way in; it is told as the reason.
    """
    parts = [_verdicts(verdicts, seen_all=not unseen)]
    if causes:
        parts.append(_main_cause(causes[0].finding, alone=not verdicts))
    if unseen:
        planes = "execution plane" if len(unseen) == 1 else "execution planes"
        listed = in_a_sentence(unseen, limit=_PLANES_NAMED)
        parts.append(f"Nothing of {planes} {listed} could be seen.")
    if in_the_way:
        parts.append(f"Reason: {in_the_way[0].summary}")
    return " ".join(parts)


def _verdicts(verdicts: tuple[Verdict, ...], *, seen_all: bool) -> str:
    total = len(verdicts)
    if not total:
        return "No Keptn service of an execution plane was found."
    counts = [(state, sum(v.connection == state for v in verdicts)) for state in _WORST_FIRST]
    if counts[-1][1] == total:
        return _all_connected(total, seen_all=seen_all)
    parts = [f"{count} {_in_words(state)}" for state, count in counts if count]
    services = "Keptn service" if total == 1 else "Keptn services"
    return f"Of {total} {services}, {in_a_sentence(parts)}."


def _all_connected(total: int, *, seen_all: bool) -> str:
    seen = "" if seen_all else " that could be seen"
    if total == 1:
        return f"The one Keptn service{seen} is connected."
    return f"All {total} Keptn services{seen} are connected."


def _in_words(state: Connection) -> str:
    return "could not be judged" if state == "unknown" else state


def _main_cause(finding: Finding, *, alone: bool) -> str:
    if alone:
        return finding.summary
    return f"{'Likely cause' if finding.suspected else 'Main cause'}: {finding.summary}"
