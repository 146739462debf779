"""From a report to the outputs that were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from keptn_doctor import __version__
from keptn_doctor.commands.outputs import (
    STDOUT,
    Color,
    Output,
    shows_unicode,
    terminal_width,
    wants_color,
    write_all,
)
from keptn_doctor.model.report import Report
from keptn_doctor.renderers import json, junit
from keptn_doctor.renderers.json import RunFailure
from keptn_doctor.renderers.page import Detail


def write_report(
    report: Report,
    outputs: Iterable[Output],
    *,
    color: Color,
    detail: Detail,
    environ: Mapping[str, str],
) -> None:
    """Render and write every output; raises OutputFailedError."""
    texts = []
    for output in outputs:
        if output.format == "json":
            text = json.render(report)
        elif output.format == "junit":
            text = junit.render(report)
        else:
            text = _text(report, output, color=color, detail=detail, environ=environ)
        texts.append((output, text))
    write_all(texts)


def _text(
    report: Report, output: Output, *, color: Color, detail: Detail, environ: Mapping[str, str]
) -> str:
    from keptn_doctor.renderers import text  # noqa: PLC0415 - rich is not needed for the others

    to_stdout = output.file == STDOUT
    style = text.TextStyle(
        width=terminal_width() if to_stdout else 0,
        color=wants_color(color, to_stdout=to_stdout, environ=environ),
        unicode=shows_unicode(output),
        detail=detail,
    )
    return text.render(report, style)


def write_failure(outputs: Iterable[Output], *, exit_code: int, error: str) -> None:
    """Leave the reason why there is no report in every JSON and JUnit output."""
    failure = RunFailure(doctor_version=__version__, exit_code=exit_code, error=error)
    renderers = {"json": json.render, "junit": junit.render}
    write_all(
        (output, renderers[output.format](failure))
        for output in outputs
        if output.format in renderers
    )
