"""What the README shows is what happens: its screen, its check, its links and its commands."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")

pytestmark = pytest.mark.lab


def _block(marker: str) -> str:
    """The fenced block that follows ``<!-- marker -->``, without its fences."""
    found = re.search(rf"<!-- {re.escape(marker)} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no block marked {marker!r}"
    return found.group(1)


def _without_what_differs(screen: str) -> list[str]:
    """Times, counts of looks and generated names are no promise."""
    screen = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "<when>", screen)
    screen = re.sub(r"\d+ looks", "<n> looks", screen)
    screen = re.sub(r"\d+\.\d s\b", "<t> s", screen)
    return [line.rstrip() for line in screen.splitlines() if line.strip()]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keptn_doctor", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", "COLUMNS": "100", "HOME": "/nonexistent"},
    )  # fmt: skip


def test_the_screen_is_what_the_command_prints() -> None:
    command, _, screen = _block("screen: check --lab --scenario demo").partition("\n")
    program, *arguments = shlex.split(command.removeprefix("$ "))
    assert program == "keptn-doctor"
    finished = _run(*arguments)
    assert finished.returncode == 1, finished.stderr
    assert _without_what_differs(finished.stdout) == _without_what_differs(screen)


def test_the_round_trip_to_try_comes_back() -> None:
    tried = re.search(r"Try it: `keptn-doctor (check [^`]*--round-trip=service)`", README)
    assert tried
    finished = _run(*shlex.split(tried[1]))
    assert finished.returncode == 0, finished.stderr
    told = next(line for line in finished.stdout.splitlines() if "came back after" in line)
    assert told.lstrip().startswith("✓ exec-a/")
    assert re.search(r", finished [\d.]+ m?s, project removed [\d.]+ m?s$", told)
    assert "created 1, remaining 0" in finished.stdout


def test_the_check_that_is_shown_is_the_one_that_lies_there() -> None:
    shown = _block("file: examples/loose-checks")
    assert shown == (ROOT / "examples/loose-checks/endpoint_without_tls.py").read_text()


def test_the_loose_check_is_judged_by() -> None:
    finished = _run("check", "--lab", "--checks", "examples/loose-checks", "-v")
    assert "configuration/endpoint-without-tls" in finished.stdout


@pytest.mark.parametrize(
    "page", sorted(p.relative_to(ROOT) for p in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]),
    ids=str,
)  # fmt: skip
def test_every_link_leads_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    dead = [link for link in LINK.findall(text) if not (ROOT / page).parent.joinpath(link).exists()]
    assert not dead


def test_every_option_that_is_named_exists() -> None:
    helps = "".join(
        _run(command, "--help").stdout for command in ("check", "init", "lab", "rbac", "explain")
    )
    ours = README.replace(_block("screen: check --lab --scenario demo"), "")  # kubectl's are there
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours))
    assert {option for option in named if option not in helps} == set()
