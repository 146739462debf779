"""The small words that several renderers share: plurals, lists of names, keys of causes."""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.model.report import RootCause


def count(number: int, noun: str) -> str:
    """``1 service``, ``3 services``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def cause_key(cause: RootCause) -> str:
    """The key by which a verdict names one of its causes."""
    return f"{cause.finding.check}@{cause.finding.subject}"


def names(subjects: Iterable[str], *, limit: int | None = None) -> str:
    """Subject paths, each plane and namespace named once, at most ``limit`` of them."""
    everything = tuple(dict.fromkeys(subjects))
    shown = everything if limit is None else everything[:limit]
    places: dict[str, list[str]] = {}
    for subject in shown:
        parts = subject.split("/")
        if len(parts) == 3 and "://" not in subject:
            places.setdefault("/".join(parts[:2]), []).append(parts[2])
        else:
            places.setdefault(subject, [])
    text = "; ".join(_place(place, found) for place, found in places.items())
    left = len(everything) - len(shown)
    return f"{text} and {left} more" if left else text


def _place(place: str, found: list[str]) -> str:
    if not found:
        return place
    return f"{place}/{found[0]}" if len(found) == 1 else f"{place}: {', '.join(found)}"
