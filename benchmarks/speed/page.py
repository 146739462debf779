"""Puts tables between the markers of docs/performance.md; the prose around them is by hand."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.speed.tables import Table

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "performance.md"


def filled(text: str, tables: Iterable[Table]) -> str:
    """The page's text with these tables in their places; raises ValueError without a place."""
    for table in tables:
        text = _placed(text, table.name, table.markdown())
    return text


def stamp() -> str:
    """When and on what it was measured."""
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with Python {platform.python_version()} "
        f"on {os.cpu_count()} cores ({platform.system()}, {platform.machine()})."
    )


def stamped(text: str) -> str:
    return _placed(text, "when", stamp())


def _placed(text: str, name: str, content: str) -> str:
    begin, end = f"<!-- measured: {name} -->", "<!-- end -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    made, count = pattern.subn(lambda _: f"{begin}\n{content}\n{end}", text)
    if count != 1:
        raise ValueError(f"the page has {count} places for the table {name!r}, not one")
    return made
