"""The report as one JSON document for machines: every verdict, finding, look and time.

The records are the schema, so there is nothing to keep in step by hand. Keys come in the order of
the records; the same report gives the same bytes. A run that ended before there was a report
leaves a ``RunFailure`` in its place, so that a file of yesterday is never read as today's.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

import msgspec

from keptn_doctor import exit_codes
from keptn_doctor.model.base import Record
from keptn_doctor.model.report import REPORT_SCHEMA_VERSION, Report

_AT_ONCE = 200


class RunFailure(Record, frozen=True, kw_only=True):
    """What stands in the place of a report when a run ended without one."""

    schema_version: int = REPORT_SCHEMA_VERSION
    doctor_version: str
    exit_code: int
    error: str  # one line: what, where, what to do


def render(report: Report | RunFailure) -> str:
    """The document, indented by two spaces, ending in a newline."""
    return "".join(pieces(report))


def pieces(report: Report | RunFailure) -> Iterator[str]:
    """The document bit by bit: that on a thousand Keptn services has 70 MB."""
    opening = "{\n"
    for name in report.__struct_encode_fields__:
        yield f"{opening}  {_text(name)}: "
        yield from _value(getattr(report, name))
        opening = ",\n"
    yield "\n}\n"


def _value(value: object) -> Iterator[str]:
    """The value of a field of the document, a long list some items at a time."""
    if not isinstance(value, tuple) or len(value) <= _AT_ONCE:
        yield _text(value)
        return
    opening = "["
    for first in range(0, len(value), _AT_ONCE):
        items = _text(value[first : first + _AT_ONCE])
        yield opening + items.removeprefix("[").removesuffix("\n  ]")
        opening = ","
    yield "\n  ]"


def _text(value: object) -> str:
    """Indented as within the document: a line break in JSON is never part of a text."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return text.replace("\n", "\n  ")


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the document, generated from the records."""
    choices, definitions = msgspec.json.schema_components(
        (Report, RunFailure), ref_template="#/$defs/{name}"
    )
    codes = "; ".join(f"{code}: {text}" for code, text in exit_codes.MEANINGS.items())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"keptn-doctor report, schema version {REPORT_SCHEMA_VERSION}",
        "description": f"Exit codes: {codes}.",
        "anyOf": list(choices),
        "$defs": {name: _dedented(definitions[name]) for name in sorted(definitions)},
    }


def _dedented(definition: dict[str, Any]) -> dict[str, Any]:
    """The same whichever Python generates it: from 3.13 on docstrings come without indentation."""
    description = definition.get("description")
    return {**definition, "description": cleandoc(description)} if description else definition
