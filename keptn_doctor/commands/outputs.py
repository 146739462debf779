"""Where reports go: ``--output FORMAT[=FILE]``, checked before the run, written after it.

Files are written before standard output, so that a reader who hangs up early takes none of them
along. A run that ends without a report leaves its reason in every JSON and JUnit file it promised.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TextIO, get_args

from keptn_doctor.model.base import Record
from keptn_doctor.signals import interruptible
from keptn_doctor.usage import UsageError

Format = Literal["text", "json", "junit"]
Color = Literal["auto", "always", "never"]
STDOUT = "-"
_NO_TERMINAL = 0
_WIDEST = 110  # longer lines are hard to read, however wide the window is


class Output(Record, frozen=True, kw_only=True):
    """One report to be written."""

    format: Format
    file: str = STDOUT


class OutputFailedError(Exception):
    """A report could not be written although its path looked fine before; one line."""


def parse_outputs(values: Iterable[str]) -> tuple[Output, ...]:
    """``("text", "json=report.json")`` as outputs; text on standard output when there is none.

    Raises UsageError for an unknown format, for two reports on one place and for a path that
    cannot be written.
    """
    outputs = tuple(_parse(value) for value in values) or (Output(format="text"),)
    places: dict[str, Output] = {}
    for output in outputs:
        place = output.file if output.file == STDOUT else os.path.realpath(output.file)
        if place in places:
            where = "standard output" if place == STDOUT else output.file
            raise UsageError(
                f"two reports for one place: {places[place].format} and {output.format} both go to "
                f"{where}; give one of them a file, as in --output {output.format}=FILE"
            )
        places[place] = output
        if output.file != STDOUT:
            refuse_unwritable(output.file, "report")
    return outputs


def _parse(value: str) -> Output:
    name, _, file = value.partition("=")
    for known in get_args(Format):
        if name == known:
            return Output(format=known, file=file or STDOUT)
    raise UsageError(
        f"unknown output format: {name!r}; use one of {', '.join(get_args(Format))}, "
        "as in --output json=report.json"
    )


def refuse_unwritable(file: str, what: str) -> None:
    """Raise UsageError when a file could not be written as things stand; nothing is created."""
    path = Path(file)
    folder = path.parent
    problem = ""
    if path.is_dir():
        problem = "it is a directory"
    elif path.exists():
        problem = "" if os.access(path, os.W_OK) else "permission denied"
    elif not folder.is_dir():
        problem = f"there is no directory {folder}"
    elif not os.access(folder, os.W_OK | os.X_OK):
        problem = f"no permission to create a file in {folder}"
    if problem:
        raise UsageError(f"cannot write the {what}: {file}: {problem}; give another path")


def promised(arguments: Sequence[str]) -> tuple[Output, ...]:
    """The outputs that a command line asks for; whatever makes no sense is left out.

    For runs that fail before, or because, the command line was understood.
    """
    values = []
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--output" and equals:
            values.append(value)
        elif argument in ("--output", "-o"):
            values.extend(arguments[index + 1 : index + 2])
        elif argument.startswith("-o") and not argument.startswith("--"):
            values.append(argument[2:])
    outputs = []
    for value in values:
        with contextlib.suppress(UsageError):
            outputs.append(_parse(value))
    return tuple(dict.fromkeys(outputs))


def write_all(texts: Iterable[tuple[Output, Iterable[str]]]) -> None:
    """Write every report, files first; raises OutputFailedError after having tried them all.

    A text comes in pieces: one may be too long to be held as a whole.
    """
    ordered = sorted(texts, key=lambda pair: pair[0].file == STDOUT)
    problems = [problem for output, pieces in ordered if (problem := _write(output, pieces))]
    if problems:
        raise OutputFailedError("; ".join(problems))


def _write(output: Output, pieces: Iterable[str]) -> str:
    """What went wrong, "" when nothing did."""
    where = "standard output" if output.file == STDOUT else output.file
    try:
        if output.file == STDOUT:
            write_stdout("".join(pieces))
        else:
            with Path(output.file).open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(pieces)
    except OSError as error:
        return f"cannot write the {output.format} report: {where}: {error.strerror or error}"
    return ""


def write_stdout(text: str) -> None:
    """Print to standard output; a reader who has gone is no error, a full disk is one (OSError)."""
    stream = sys.stdout
    if stream is None:  # closed by the caller of the process
        raise OSError("it is closed")
    encoding = stream.encoding or "utf-8"
    try:
        with interruptible():
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        give_up(stream)
    except OSError:
        give_up(stream)
        raise


def give_up(stream: TextIO) -> None:
    """What is still buffered would raise again when the interpreter flushes at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def wants_color(choice: Color, *, to_stdout: bool, environ: Mapping[str, str]) -> bool:
    """Whether a text report is coloured; NO_COLOR and TERM=dumb count for ``auto``."""
    if choice != "auto":
        return choice == "always"
    terminal = to_stdout and sys.stdout is not None and sys.stdout.isatty()
    return terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def terminal_width() -> int:
    """Columns to wrap a report on standard output at; 0 when it is no terminal."""
    if sys.stdout is None or not sys.stdout.isatty():
        return _NO_TERMINAL
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        columns = 80
    return min(columns or 80, _WIDEST)


def shows_unicode(output: Output) -> bool:
    """Whether the place of this output can carry the signs of the report."""
    if output.file != STDOUT:
        return True
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return encoding.lower().replace("-", "") in ("utf8", "utf16", "utf32")
