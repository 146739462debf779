"""Lists as sentences have them: all of a few, the first ones of many and the number of the rest."""

from __future__ import annotations

from collections.abc import Sequence


def first_of(listed: Sequence[str], *, limit: int) -> str:
    """``a, b, c and 97 more``."""
    left = len(listed) - limit
    return ", ".join(listed[:limit]) + (f" and {left} more" if left > 0 else "")


def in_a_sentence(listed: Sequence[str], *, limit: int | None = None) -> str:
    """``a``, ``a, b and c``; of more than ``limit`` the first ones and the number of the rest."""
    if limit is not None and len(listed) > limit:
        return first_of(listed, limit=limit)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
