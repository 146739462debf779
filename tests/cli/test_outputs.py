"""Where reports go, and what happens when the place turns out to be bad."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from running import environment

from keptn_doctor.commands.outputs import Output, parse_outputs, promised
from keptn_doctor.usage import UsageError

WRITE = (
    "import sys\n"
    "from keptn_doctor.commands.outputs import *\n"
    "try:\n"
    "    write_all(((o, [sys.argv[2] * int(sys.argv[3])]) for o in parse_outputs(sys.argv[1:2])))\n"
    "except OutputFailedError as error:\n"
    "    sys.exit(str(error))\n"
)


def write(
    *, text: str, times: int = 1, stdout: object = subprocess.PIPE, **env: str
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITE, "text", text, str(times)],
        env=environment(**env),
        stdout=stdout,  # type: ignore[arg-type]
        stderr=subprocess.PIPE,
    )


def test_text_on_standard_output_is_the_default() -> None:
    assert parse_outputs(()) == (Output(format="text", file="-"),)


def test_a_format_without_a_file_goes_to_standard_output() -> None:
    assert parse_outputs(("json", "junit=r.xml")) == (
        Output(format="json", file="-"),
        Output(format="junit", file="r.xml"),
    )


@pytest.mark.parametrize("value", ["", "yaml", "=x", "JSON"])
def test_an_unknown_format_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="unknown output format"):
        parse_outputs((value,))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["check", "--output", "junit=a.xml"], [Output(format="junit", file="a.xml")]),
        (["check", "--output=junit=a.xml"], [Output(format="junit", file="a.xml")]),
        (["check", "-ojson=a"], [Output(format="json", file="a")]),
        (["check", "-o", "bogus", "-o"], []),
        (["check", "--bad", "-o", "json"], [Output(format="json")]),
    ],
)
def test_promised_outputs_are_found_in_a_broken_command_line(
    arguments: list[str], expected: list[Output]
) -> None:
    assert list(promised(arguments)) == expected


def test_a_reader_who_hangs_up_is_no_error() -> None:
    process = write(text="x" * 1000 + "\n", times=100_000)
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")


def test_a_full_disk_is_one_line() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("wb") as stdout:
        process = write(text="x", stdout=stdout)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"cannot write the text report: standard output: No space left" in errors
    assert b"Traceback" not in errors


def test_what_the_terminal_cannot_show_is_escaped() -> None:
    process = write(text="\u2713 ok", PYTHONIOENCODING="ascii")
    output, errors = process.communicate(timeout=60)
    assert (output, errors) == (b"\\u2713 ok", b"")
