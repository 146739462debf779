"""Progress: a moving line on a terminal that is gone at the end, a few plain lines elsewhere."""

from __future__ import annotations

import io
import sys

import pexpect
from running import environment

from keptn_doctor.progress import Lines, Quiet, open_progress

PROGRAM = (
    "import sys\n"
    "from keptn_doctor.progress import open_progress\n"
    "progress = open_progress(sys.stderr, quiet=False, color=False)\n"
    "progress.stage('finding Keptn services')\n"
    "progress.look('dns', 'endpoint:http://a.very.long.name.example.com/api' * 9)\n"
    "input()\n"
    "progress.close()\n"
    "print('the report')\n"
)


def on_a_terminal(**env: str) -> tuple[str, str]:
    """What stands on the screen while it looks, and all that comes after."""
    child = pexpect.spawn(
        sys.executable,
        ["-c", PROGRAM],
        env=environment(TERM="xterm", **env),
        encoding="utf-8",
        echo=False,
        dimensions=(24, 80),
        timeout=30,
    )
    child.expect("1 looks")
    before = child.before + child.after
    child.sendline("")
    child.expect(pexpect.EOF)
    child.close()
    return before, child.before


def test_off_a_terminal_there_is_one_line_per_stage_and_a_sum() -> None:
    stream = io.StringIO()
    ticks = iter((10.0, 12.5))
    progress = Lines(stream, clock=lambda: next(ticks))
    progress.stage("finding Keptn services")
    for number in range(1000):
        progress.look("dns", str(number))
    progress.stage("looking at 3 Keptn services")
    progress.close()
    assert stream.getvalue() == (
        "keptn-doctor: finding Keptn services ...\n"
        "keptn-doctor: looking at 3 Keptn services ...\n"
        "keptn-doctor: 1000 looks in 2.5 s\n"
    )


def test_quiet_is_quiet() -> None:
    stream = io.StringIO()
    progress = open_progress(stream, quiet=True, color=False)
    assert isinstance(progress, Quiet)
    progress.stage("x")
    progress.look("x", "y")
    progress.close()
    assert stream.getvalue() == ""


def test_on_a_terminal_the_line_is_erased_before_the_report() -> None:
    during, after = on_a_terminal()
    assert "finding Keptn services" in during
    assert "\x1b[2K" in after
    assert after.rstrip().endswith("the report")
    assert "\x1b[?25h" in after  # the cursor is back


def test_without_colour_the_moving_line_has_none() -> None:
    during, after = on_a_terminal()
    assert "\x1b[3" not in during + after


def test_where_utf8_is_not_spoken_the_line_is_ascii() -> None:
    during, _ = on_a_terminal(LANG="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert during.isascii()
