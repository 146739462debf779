"""Runs the real command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def environment(**changes: str) -> dict[str, str]:
    """A clean environment: no kubeconfig, no token, no colour of the developer's."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/dev/null/nobody",
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "error",
        **changes,
    }


def keptn_doctor(
    *arguments: str, cwd: Path | None = None, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run ``keptn-doctor`` to its end, off a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "keptn_doctor", *arguments],
        cwd=cwd or REPOSITORY,
        env=environment(**env),
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def python(program: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a program of a few lines to its end, which must be with this exit code."""
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == code, run.stderr
    return run


def assert_one_clear_line(run: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2 and exactly one line on standard error, with all of ``words``."""
    assert run.returncode == 2, run.stderr
    assert "Traceback" not in run.stderr
    lines = run.stderr.splitlines()
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("keptn-doctor: ")
    for word in words:
        assert word in lines[0]
