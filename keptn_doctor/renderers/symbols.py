"""The signs of the text report, in Unicode and in ASCII, and what makes foreign text printable.

A sign never stands alone: the word beside it says the same, so colour and font carry nothing that
is lost on a log server.
"""

from __future__ import annotations

import re

from keptn_doctor.model.base import Record

# C0 and C1 controls, and the marks that reorder or hide text: a log line or an HTML title quoted
# in a report must not be able to move the reader's cursor or to disguise itself.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")

_TYPEWRITER = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2026": "...",
    }
)


class Symbols(Record, frozen=True, kw_only=True):
    """One sign per state; every field is one cell wide."""

    ok: str
    broken: str
    degraded: str
    unknown: str
    blocked: str
    not_applicable: str
    warning: str
    dash: str
    separator: str


UNICODE = Symbols(
    ok="✓", broken="✗", degraded="!", unknown="?", blocked="·", not_applicable="-",
    warning="!", dash="—", separator="·",
)  # fmt: skip
ASCII = Symbols(
    ok="+", broken="x", degraded="!", unknown="?", blocked=".", not_applicable="-",
    warning="!", dash="-", separator="|",
)  # fmt: skip


def printable(text: str) -> str:
    """``text`` on one line, with every control and direction mark shown as an escape."""
    one_line = " ".join(text.split()) if "\n" in text or "\t" in text else text
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", one_line)


def typewritten(text: str) -> str:
    """The marks of good typography as a typewriter has them; other letters stay."""
    return text.translate(_TYPEWRITER)
