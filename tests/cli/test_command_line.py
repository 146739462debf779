"""Names, help, completion and the one clear line of every mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import junitparser
import pytest
from running import REPOSITORY, assert_one_clear_line, environment, keptn_doctor, python

from keptn_doctor import __version__, exit_codes

HEAVY = ("kubernetes", "httpx", "rich", "dns", "aiohttp", "msgspec", "yaml", "asyncio")
BROKEN_CHECK = "def judge(:\n"


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["lab", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from keptn_doctor.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0, end.code\n"
        f"print(sorted(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)\n"
    )
    run = python(program)
    assert run.stderr == "[]\n"
    assert run.stdout.startswith("Usage: ")


@pytest.mark.parametrize("command", [[], ["check"]])
def test_help_tells_every_exit_code(command: list[str]) -> None:
    text = keptn_doctor(*command, "--help").stdout
    for code, meaning in exit_codes.MEANINGS.items():
        assert f"{code:>3}  {meaning}" in text


def test_version_is_the_packages() -> None:
    assert keptn_doctor("--version").stdout == f"keptn-doctor, version {__version__}\n"


def test_no_command_shows_the_help_on_standard_error_and_is_a_usage_error() -> None:
    run = keptn_doctor()
    assert (run.returncode, run.stdout) == (2, "")
    assert "check" in run.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_program(shell: str) -> None:
    run = keptn_doctor("completion", shell)
    assert run.returncode == 0
    assert "_KEPTN_DOCTOR_COMPLETE" in run.stdout


def test_completion_completes_commands() -> None:
    run = keptn_doctor(
        _KEPTN_DOCTOR_COMPLETE="bash_complete", COMP_WORDS="keptn-doctor exp", COMP_CWORD="1"
    )
    assert run.stdout == "plain,explain\n"


def test_completion_completes_check_ids() -> None:
    run = keptn_doctor("checks", "--json")
    ids = [check["id"] for check in json.loads(run.stdout)["checks"]]
    completed = keptn_doctor(
        _KEPTN_DOCTOR_COMPLETE="bash_complete",
        COMP_WORDS=f"keptn-doctor explain {ids[0][:3]}",
        COMP_CWORD="2",
    )
    assert f"plain,{ids[0]}" in completed.stdout.splitlines()


def test_completion_completes_contexts(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(
        "contexts:\n- {name: east, context: {cluster: c}}\n- {name: west, context: {cluster: c}}\n"
    )
    completed = keptn_doctor(
        _KEPTN_DOCTOR_COMPLETE="bash_complete",
        COMP_WORDS="keptn-doctor check --execution-plane ea",
        COMP_CWORD="3",
        KUBECONFIG=str(kubeconfig),
    )
    assert completed.stdout == "plain,east\n"


def test_completion_without_a_kubeconfig_completes_nothing_and_complains_of_nothing() -> None:
    completed = keptn_doctor(
        _KEPTN_DOCTOR_COMPLETE="bash_complete",
        COMP_WORDS="keptn-doctor check --execution-plane ea",
        COMP_CWORD="3",
        KUBECONFIG="/nonexistent/config",
    )
    assert (completed.stdout.strip(), completed.stderr) == ("", "")


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    """A directory with one loose check."""
    directory = tmp_path / "mychecks"
    directory.mkdir()
    (directory / "moon-is-full.py").write_text(
        '"""The moon is full.\n\nMeaning       Wolves.\nDecided by    The moon.\n'
        'What to do    Wait.\nFalse alarms  None.\n"""\n'
        "from keptn_doctor.api import *\n"
        "@check(about=ControlPlane, layer=Layer.HTTP, since='0.1')\n"
        "def judge(plane: ControlPlane) -> Finding:\n"
        "    return passed('No moon.')\n"
    )
    return directory


def test_checks_lists_id_and_title_by_layer(loose: Path) -> None:
    run = keptn_doctor("checks", "--checks", str(loose))
    assert run.returncode == 0
    lines = run.stdout.splitlines()
    http = lines.index("http")
    line = next(line for line in lines if line.startswith("  moon-is-full"))
    assert line.endswith("  The moon is full.")
    assert lines.index(line) > http


def test_checks_as_json_can_be_read(loose: Path) -> None:
    document = json.loads(keptn_doctor("checks", "--json", "--checks", str(loose)).stdout)
    found = next(check for check in document["checks"] if check["id"] == "moon-is-full")
    assert found["layer"] == "http"
    assert found["title"] == "The moon is full."


def test_checks_names_a_check_that_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BROKEN_CHECK)
    run = keptn_doctor("checks", "--checks", str(tmp_path))
    assert run.returncode == 0
    assert "bad.py" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    listing = subprocess.Popen(
        [sys.executable, "-m", "keptn_doctor", "completion", "zsh"],
        cwd=REPOSITORY,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert listing.stdout is not None
    listing.stdout.close()
    _, errors = listing.communicate(timeout=60)
    assert (listing.returncode, errors) == (0, b"")


def test_a_full_disk_is_one_line_and_no_bug() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("wb") as stdout:
        run = subprocess.run(
            [sys.executable, "-m", "keptn_doctor", "--help"],
            cwd=REPOSITORY,
            env=environment(),
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert run.returncode == 4
    assert run.stderr == (
        b"keptn-doctor: cannot write to standard output: No space left on device\n"
    )


def test_explain_prints_the_four_headings(loose: Path) -> None:
    run = keptn_doctor("explain", "moon-is-full", "--checks", str(loose))
    assert run.returncode == 0
    for heading in ("Meaning", "Decided by", "What to do", "False alarms"):
        assert heading in run.stdout


def test_explain_offers_near_matches(loose: Path) -> None:
    run = keptn_doctor("explain", "mon-is-ful", "--checks", str(loose))
    assert_one_clear_line(run, "no such check: mon-is-ful", "did you mean moon-is-full")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chek"], ["chek", "keptn-doctor --help"]),
        (["check", "--contrl-plane", "x"], ["--contrl-plane", "keptn-doctor check --help"]),
        (["check", "--color", "pink"], ["pink"]),
        (["check", "--timeout", "soon"], ["soon"]),
        (["check", "--timeout", "0"], ["0"]),
        (["check", "stray"], ["stray"]),
        (["check", "-o", "html"], ["html", "text, json, junit"]),
        (["check", "-o", "text", "-o", "json"], ["standard output", "--output json=FILE"]),
        (["check", "-o", "json=/nonexistent/r.json"], ["/nonexistent/r.json", "no directory"]),
        (["check", "-o", "json=/"], ["is a directory"]),
        (["check", "--short", "--verbose"], ["--short and --verbose"]),
        (["check", "--only", "no-such"], ["no such check: no-such"]),
        (["check", "--skip", "no-such"], ["no such check: no-such"]),
        (["check", "--checks", "/nonexistent"], ["/nonexistent", "--checks"]),
        (["check", "--scenario", "x"], ["--scenario", "--lab"]),
        (["check", "--lab", "--endpoint", "http://x/api"], ["--endpoint", "--lab"]),
        (["check", "--lab", "--control-plane", "x"], ["--control-plane", "--lab"]),
        (["check", "--lab", "--scenario", "nosuch"], ["no such scenario: nosuch", "healthy"]),
        (["check", "--lab", "--scenario", "/nonexistent.yaml"], ["/nonexistent.yaml"]),
        (["check"], ["--kubeconfig", "--lab"]),
        (["check", "--kubeconfig", "/nonexistent/config"], ["/nonexistent/config"]),
        (["check", "--config", "/nonexistent/c.yaml"], ["/nonexistent/c.yaml"]),
        (["check", "--endpoint", "keptn.example.com/api"], ["--endpoint", "scheme"]),
        (["check", "--endpoint", "http://x/api", "--ask-token"], ["--ask-token", "terminal"]),
        (["check", "--lab", "--bundle", "/dev/null/x"], ["/dev/null/x"]),
        (["judge"], ["BUNDLE"]),
        (["judge", "/nonexistent.gz"], ["/nonexistent.gz", "check --bundle"]),
        (["judge", "pyproject.toml"], ["pyproject.toml is not a bundle"]),
        (["judge", "pyproject.toml", "-o", "html"], ["html"]),
        (["completion", "tcsh"], ["tcsh"]),
        (["explain"], ["ID"]),
        (["lab", "--scenario", "nosuch"], ["no such scenario"]),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(
    arguments: list[str], words: list[str]
) -> None:
    run = keptn_doctor(*arguments)
    assert_one_clear_line(run, *words)
    assert run.stdout == "" or "json" in arguments  # a promised document tells it as well


def test_two_outputs_in_one_file_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "report"
    run = keptn_doctor("check", "-o", f"json={file}", "-o", f"junit={tmp_path}/./report")
    assert run.returncode == 2
    assert "two reports for one place" in run.stderr


def test_an_unknown_field_in_a_scenario_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("title: x\n\nwrong-lever: 1\n")
    run = keptn_doctor("check", "--lab", "--scenario", str(file))
    assert_one_clear_line(run, f"{file}:3", "wrong-lever")


@pytest.mark.parametrize("mistake", [["--no-such-option"], ["--only", "no-such"]])
def test_a_usage_error_still_leaves_the_promised_reports(
    tmp_path: Path, mistake: list[str]
) -> None:
    junit, document = tmp_path / "r.xml", tmp_path / "r.json"
    run = keptn_doctor("check", "-o", f"junit={junit}", f"--output=json={document}", *mistake)
    assert_one_clear_line(run)
    suites = list(junitparser.JUnitXml.fromfile(str(junit)))
    assert [(suite.errors, suite.tests) for suite in suites] == [(1, 1)]
    failure = json.loads(document.read_text())
    assert failure["exit_code"] == 2
    assert f"keptn-doctor: {failure['error']}\n" == run.stderr


def test_a_usage_error_of_another_command_writes_no_report(tmp_path: Path) -> None:
    file = tmp_path / "r.xml"
    keptn_doctor("explain", "-o", f"junit={file}", "x")
    assert not file.exists()


@pytest.mark.parametrize("budget", ["0s", "0.5s", "soon", "20"])
def test_a_budget_that_is_no_time_is_one_clear_line(budget: str) -> None:
    assert_one_clear_line(keptn_doctor("check", "--lab", "--budget", budget), "--budget", budget)
