"""From a report to the outputs that were asked for, and from a snapshot to a bundle."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from keptn_doctor import __version__, bundle, exit_codes
from keptn_doctor.commands.outputs import (
    STDOUT,
    Color,
    Output,
    OutputFailedError,
    parse_outputs,
    shows_unicode,
    terminal_width,
    wants_color,
    write_all,
)
from keptn_doctor.model.base import Record
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.model.report import Report
from keptn_doctor.usage import UsageError

if TYPE_CHECKING:
    from keptn_doctor.catalogue import Catalogue
    from keptn_doctor.renderers.page import Detail  # that module imports rich


class Delivery(Record, frozen=True, kw_only=True):
    """Where a report goes and what it looks like there."""

    outputs: tuple[Output, ...]
    color: Color = "auto"
    detail: Detail = "normal"
    timings: bool = False
    quiet: bool = False


def delivery_from(options: Mapping[str, Any]) -> Delivery:
    """The delivery that the options ask for; raises UsageError before anything is looked at."""
    if options["short"] and options["verbose"]:
        raise UsageError("--short and --verbose exclude each other; drop one of them")
    return Delivery(
        outputs=parse_outputs(options["outputs"]),
        color=options["color"],
        detail="short" if options["short"] else "verbose" if options["verbose"] else "normal",
        timings=options["timings"],
        quiet=options["quiet"],
    )


def judged(snapshot: Snapshot, catalogue: Catalogue, delivery: Delivery) -> Report:
    """The report on a snapshot, with the times of the run where they were asked for."""
    from keptn_doctor.doctor import report_on  # noqa: PLC0415 - imports every client library

    began = time.perf_counter()
    report = report_on(snapshot, catalogue)
    if not delivery.timings or snapshot.times is None:
        return report
    judging_ms = round((time.perf_counter() - began) * 1000, 1)
    times = msgspec.structs.replace(snapshot.times, judging_ms=judging_ms)
    return msgspec.structs.replace(report, times=times)


def deliver(report: Report, delivery: Delivery, environ: Mapping[str, str]) -> int:
    """Write every output; the exit code is the report's unless writing failed."""
    texts = [(output, _rendered(report, output, delivery, environ)) for output in delivery.outputs]
    try:
        write_all(texts)
    except OutputFailedError as error:
        click.echo(f"keptn-doctor: {error}", err=True)
        return exit_codes.DOCTOR_FAILED
    if not delivery.quiet:
        _mention_files(report, delivery.outputs)
    return report.exit_code


def load_renderer(delivery: Delivery) -> None:
    """Import what takes long of what ``deliver`` will need: rich, 25 ms, in a run that waits."""
    if any(output.format == "text" for output in delivery.outputs):
        import keptn_doctor.renderers.text  # noqa: F401, PLC0415


def _rendered(
    report: Report, output: Output, delivery: Delivery, environ: Mapping[str, str]
) -> Iterable[str]:
    # Each renderer has its libraries, and a run needs few of them and none before its end.
    if output.format == "json":
        from keptn_doctor.renderers import json  # noqa: PLC0415

        return json.pieces(report)
    if output.format == "junit":
        from keptn_doctor.renderers import junit  # noqa: PLC0415

        return (junit.render(report),)
    from keptn_doctor.renderers import text  # noqa: PLC0415

    to_stdout = output.file == STDOUT
    style = text.TextStyle(
        width=terminal_width() if to_stdout else 0,
        color=wants_color(delivery.color, to_stdout=to_stdout, environ=environ),
        unicode=shows_unicode(output),
        detail=delivery.detail,
    )
    return (text.render(report, style),)


def _mention_files(report: Report, outputs: tuple[Output, ...]) -> None:
    """On standard error: where reports are, and the answer when nothing else says it."""
    files = [output for output in outputs if output.file != STDOUT]
    if len(files) == len(outputs):
        click.echo(f"keptn-doctor: {report.headline}", err=True)
    for output in files:
        click.echo(f"keptn-doctor: {output.format} report written to {output.file}", err=True)


def keep(snapshot: Snapshot, file: str) -> bool:
    """Write a bundle; says so when it cannot be written, and gives False."""
    try:
        bundle.save(snapshot, Path(file))
    except OSError as error:
        click.echo(f"keptn-doctor: cannot write the bundle: {file}: {error.strerror}", err=True)
        return False
    return True


def write_failure(outputs: Iterable[Output], *, exit_code: int, error: str) -> None:
    """Leave the reason why there is no report in every JSON and JUnit output."""
    from keptn_doctor.renderers import json, junit  # noqa: PLC0415 - as above

    failure = json.RunFailure(doctor_version=__version__, exit_code=exit_code, error=error)
    renderers = {"json": json.render, "junit": junit.render}
    write_all(
        (output, (renderers[output.format](failure),))
        for output in outputs
        if output.format in renderers
    )
