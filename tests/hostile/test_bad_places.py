"""Outputs that are closed, full or gone, and signals at a bad time: the outcome stays the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/dev/null/nobody"}
CHECK = (sys.executable, "-m", "keptn_doctor", "check")
needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")


def outcome(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    doctor = " ".join(CHECK[:3])
    return subprocess.run(
        ["/bin/sh", "-c", command.replace("keptn-doctor", doctor)],
        cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@needs_dev_full
def test_a_full_standard_error_does_not_turn_bad_input_into_a_broken_connection(
    tmp_path: Path,
) -> None:
    run = outcome("keptn-doctor check --kubeconfig /nowhere 2>/dev/full", tmp_path)
    assert run.returncode == 2


def test_a_closed_standard_error_neither(tmp_path: Path) -> None:
    assert outcome("keptn-doctor check --kubeconfig /nowhere 2>&-", tmp_path).returncode == 2


@pytest.mark.lab
@needs_dev_full
@pytest.mark.parametrize("place", ["2>/dev/full", "2>&- <&-"])
def test_a_report_needs_standard_output_only(tmp_path: Path, place: str) -> None:
    run = outcome(f"keptn-doctor check --lab {place}", tmp_path)
    assert run.returncode == 0
    assert "All 3 Keptn services are connected." in run.stdout


@pytest.mark.lab
@needs_dev_full
def test_a_report_that_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    run = outcome("keptn-doctor check --lab -q -o text -o json=r.json >/dev/full", tmp_path)
    assert run.returncode == 4
    assert "cannot write the text report: standard output" in run.stderr.splitlines()[-1]
    assert (tmp_path / "r.json").stat().st_size


def test_a_folder_that_is_gone_is_no_bug(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    run = outcome(f"cd {gone} && rmdir {gone} && keptn-doctor check", tmp_path)
    assert run.returncode == 2
    assert "no kubeconfig was found" in run.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_two_signals_at_once_end_in_one_line_and_the_reports(
    tmp_path: Path, number: signal.Signals
) -> None:
    waiting = tmp_path / "kubeconfig"
    os.mkfifo(waiting)  # the command waits here for somebody who writes
    process = subprocess.Popen(
        [*CHECK, "--kubeconfig", str(waiting), "-o", "json=r.json", "-o", "junit=r.xml"],
        cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with waiting.open("wb"):  # opens when the command has opened it, so it is past its start
        process.send_signal(number)
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.split("\n") == ["", "keptn-doctor: interrupted before anything was looked at", ""]
    assert (tmp_path / "r.json").stat().st_size
    assert (tmp_path / "r.xml").stat().st_size


def test_debug_output_has_places_and_no_texts(tmp_path: Path) -> None:
    program = (
        "from keptn_doctor.cli import cli, main\n"
        "@cli.command()\n"
        "def boom():\n"
        "    try: int('planted-secret')\n"
        "    except ValueError as error: raise KeyError('another-' + 'secret') from error\n"
        "main(['boom'])\n"
    )
    (tmp_path / "boom.py").write_text(program)
    run = subprocess.run(
        [sys.executable, "boom.py"], cwd=tmp_path, capture_output=True, text=True, timeout=30,
        env={**ENVIRONMENT, "KEPTN_DOCTOR_DEBUG": "1"}, check=False,
    )  # fmt: skip
    assert run.returncode == 4
    assert "KeyError, raised here:" in run.stderr
    assert "ValueError, raised here:" in run.stderr
    assert "another-secret" not in run.stderr
    assert "invalid literal" not in run.stderr
