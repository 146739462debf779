"""What became of the things that ``cleanup`` looked for in one place."""

from __future__ import annotations

from keptn_doctor.model.base import Record


class Outcome(Record, frozen=True, kw_only=True):
    """Every entry is a line for people."""

    removed: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    not_searched: tuple[str, ...] = ()
