"""Ctrl-C and TERM, once and twice: what was seen is told, what was created is removed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import environment

from keptn_doctor.signals import Interruption, clean_up, run_until_stopped

PROGRAM = Path(__file__).with_name("interruptible_program.py")
both_signals = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@contextmanager
def running(temper: str, seconds: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), temper, seconds],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def rest(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    text = process.stdout.read()
    assert process.wait(timeout=20) == 0
    return text.splitlines()


@both_signals
def test_once_stops_looking_cleans_up_and_reports(number: signal.Signals) -> None:
    with running("willing", "0") as process:
        assert line(process) == "looking"
        process.send_signal(number)
        assert rest(process) == [
            "cancelled",
            "removing",
            "removed",
            "report finished=False cleaned=True",
        ]


@both_signals
def test_twice_does_not_wait_for_a_stubborn_look_and_still_cleans_up(
    number: signal.Signals,
) -> None:
    with running("stubborn", "0") as process:
        assert line(process) == "looking"
        process.send_signal(number)
        assert line(process) == "cancelled"
        process.send_signal(number)
        assert rest(process)[:3] == ["removing", "removed", "report finished=False cleaned=True"]


@both_signals
def test_signals_during_clean_up_do_not_cut_it_short(number: signal.Signals) -> None:
    with running("willing", "0.5") as process:
        assert line(process) == "looking"
        process.send_signal(number)
        assert [line(process), line(process)] == ["cancelled", "removing"]
        process.send_signal(number)
        process.send_signal(number)
        assert rest(process) == ["removed", "report finished=False cleaned=True"]


def test_clean_up_has_a_time_limit_of_its_own() -> None:
    with running("willing", "60") as process:
        assert line(process) == "looking"
        process.send_signal(signal.SIGINT)
        assert rest(process)[-1] == "report finished=False cleaned=False"


async def _bug() -> None:
    raise KeyError("a bug")


@pytest.mark.asyncio
async def test_a_bug_in_the_work_is_raised() -> None:
    with pytest.raises(KeyError):
        await run_until_stopped(_bug(), Interruption())


@pytest.mark.asyncio
async def test_work_that_ends_by_itself_counts_as_finished() -> None:
    assert await run_until_stopped(asyncio.sleep(0), Interruption())


@pytest.mark.asyncio
async def test_a_bug_in_the_clean_up_is_raised() -> None:
    with pytest.raises(KeyError):
        await clean_up(_bug)


def test_a_command_that_is_stopped_while_it_is_imported_shows_no_traceback(tmp_path: Path) -> None:
    impatient = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
    (tmp_path / "click.py").write_text(impatient)  # found first, when the command line is imported
    run = subprocess.run(
        [sys.executable, "-m", "keptn_doctor", "check"],
        env=environment(PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (-signal.SIGINT, "", "")
