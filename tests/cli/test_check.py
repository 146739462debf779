"""Whole runs of ``check`` against the lab: exit codes, outputs, colour, interruption."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import junitparser
import pexpect
import pytest
from running import REPOSITORY, environment, keptn_doctor, python

from keptn_doctor.exit_codes import MEANINGS
from keptn_doctor.renderers.json import schema

pytestmark = pytest.mark.lab

ESCAPE = "\x1b"
SERVICES = ("helm-service", "jmeter-service", "job-executor-service")


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    return tmp_path / "scenario.yaml"


def blind(scenario: Path) -> Path:
    """The operator may read nothing of the execution planes but the workloads."""
    scenario.write_text(
        "title: An operator who may not look inside\n"
        "operator:\n"
        "  contexts:\n"
        "    exec-a: {cannot: [pods/log, pods/portforward, pods/proxy, secrets]}\n"
        "    exec-b: {cannot: [pods/log, pods/portforward, pods/proxy, secrets]}\n"
        "    keptn-cp: {cannot: [secrets, pods/log]}\n"
    )
    return scenario


def slow(scenario: Path) -> Path:
    """The operator's way to the endpoint is silent, so looking takes its time."""
    scenario.write_text(
        "title: A silent endpoint\noperator:\n  hops: [{to: '*:80', behaviour: silent}]\n"
    )
    return scenario


def test_a_healthy_pair_is_exit_0_and_every_service_connected() -> None:
    run = keptn_doctor("check", "--lab")
    assert run.returncode == 0, run.stdout
    for service in SERVICES:
        assert re.search(rf"CONNECTED .*/{service}$", run.stdout, re.MULTILINE)
    assert f"Exit code 0: {MEANINGS[0]}." in run.stdout


def test_a_broken_plane_is_exit_1_with_cause_and_remedy() -> None:
    run = keptn_doctor("check", "--lab", "--scenario", "demo")
    assert run.returncode == 1
    assert re.search(r"DISCONNECTED .*/job-executor-service$", run.stdout, re.MULTILINE)
    assert "CAUSE 1  token-differs" in run.stdout
    assert "Mend it" in run.stdout


def test_what_could_not_be_seen_is_exit_3_with_the_way_to_see_it(scenario: Path) -> None:
    run = keptn_doctor("check", "--lab", "--scenario", str(blind(scenario)))
    assert run.returncode == 3, run.stdout
    assert re.search(r"UNKNOWN .*/helm-service$", run.stdout, re.MULTILINE)
    assert "grant the right to" in run.stdout
    assert "pods/log in namespace keptn-exec" in run.stdout


@pytest.mark.parametrize("lever", ["server: refused", "cannot: ['*']"])
def test_a_plane_that_could_not_be_searched_is_not_health(scenario: Path, lever: str) -> None:
    scenario.write_text(f"title: Shut out\noperator:\n  contexts:\n    exec-b: {{{lever}}}\n")
    run = keptn_doctor("check", "--lab", "--scenario", str(scenario))
    assert run.returncode == 3, run.stdout
    assert run.stdout.startswith("? All 2 Keptn services that could be seen are connected. ")
    assert "Nothing of execution plane exec-b could be seen." in run.stdout.splitlines()[0]
    assert "of exec-b" in run.stdout[run.stdout.index("NOT SEEN") :]


def test_facts_go_to_standard_output_and_progress_to_standard_error() -> None:
    run = keptn_doctor("check", "--lab", "-o", "json")
    document = json.loads(run.stdout)
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["exit_code"] == run.returncode
    assert "finding Keptn services ..." in run.stderr
    assert len(run.stderr.splitlines()) <= 6


def test_quiet_leaves_standard_error_empty() -> None:
    assert keptn_doctor("check", "--lab", "--quiet").stderr == ""


def test_one_run_writes_several_reports(tmp_path: Path) -> None:
    document, suite, text = tmp_path / "r.json", tmp_path / "r.xml", tmp_path / "r.txt"
    run = keptn_doctor(
        "check", "--lab", "--scenario", "demo", "--color", "auto",
        "-o", f"json={document}", "-o", f"junit={suite}", "-o", f"text={text}",
    )  # fmt: skip
    assert run.stdout == ""
    assert json.loads(document.read_text())["exit_code"] == 1
    services = next(iter(junitparser.JUnitXml.fromfile(str(suite))))
    assert services.failures >= 1
    assert "CAUSE 1  token-differs" in text.read_text(encoding="utf-8")
    headline = json.loads(document.read_text())["headline"]
    assert f"keptn-doctor: {headline}" in run.stderr.splitlines()


def test_a_report_that_cannot_be_written_in_the_end_is_exit_4_and_loses_no_other(
    tmp_path: Path,
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    suite = tmp_path / "r.xml"
    run = keptn_doctor("check", "--lab", "-q", "-o", "json=/dev/full", "-o", f"junit={suite}")
    assert run.returncode == 4
    assert run.stderr == (
        "keptn-doctor: cannot write the json report: /dev/full: No space left on device\n"
    )
    assert suite.exists()


def test_a_bundle_is_judged_to_the_same_report(tmp_path: Path) -> None:
    bundle = tmp_path / "seen.gz"
    live = keptn_doctor(
        "check", "--lab", "--scenario", "demo", "-o", "json", "--bundle", str(bundle)
    )
    again = keptn_doctor("judge", str(bundle), "-o", "json")
    assert again.stdout == live.stdout
    assert again.returncode == live.returncode == 1


def test_only_the_chosen_check_judges() -> None:
    run = keptn_doctor("check", "--lab", "-o", "json", "--only", "token-differs")
    checks = {finding["check"] for finding in json.loads(run.stdout)["findings"]}
    assert checks == {"token-differs"}


def test_the_plan_of_a_lab_touches_nothing_but_the_lab() -> None:
    run = keptn_doctor("check", "--lab", "--plan")
    assert run.returncode == 0
    assert "Nothing was touched for this list." in run.stdout


def test_off_a_terminal_there_is_no_colour() -> None:
    assert ESCAPE not in keptn_doctor("check", "--lab", "-q").stdout


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}])
def test_colour_can_be_demanded(env: dict[str, str]) -> None:
    assert ESCAPE in keptn_doctor("check", "--lab", "-q", "--color", "always", **env).stdout


def on_a_terminal(*arguments: str, **env: str) -> str:
    """The report as it stands on a terminal of 80 columns."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "keptn_doctor", "check", "--lab", "--scenario", "demo", "-q", *arguments],
        env=environment(**{"TERM": "xterm", **env}),
        cwd=str(REPOSITORY),
        encoding="utf-8",
        dimensions=(24, 80),
        timeout=60,
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    return str(child.before).replace("\r\n", "\n")


def test_on_a_terminal_the_report_is_coloured_and_no_wider_than_it() -> None:
    text = on_a_terminal()
    assert ESCAPE in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert all(len(line) <= 80 for line in plain.splitlines() if "$ " not in line)


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colour_gets_none(env: dict[str, str]) -> None:
    assert ESCAPE not in on_a_terminal(**env)


def test_a_terminal_that_cannot_show_unicode_gets_ascii() -> None:
    text = on_a_terminal("--color", "never", LANG="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert text.isascii()
    assert "x DISCONNECTED" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_run_reports_what_was_seen(
    scenario: Path, tmp_path: Path, number: signal.Signals, times: int
) -> None:
    suite = tmp_path / "r.xml"
    process = subprocess.Popen(
        [sys.executable, "-m", "keptn_doctor", "check", "--lab",
         "--scenario", str(slow(scenario)), "-o", "text", "-o", f"junit={suite}"],
        cwd=REPOSITORY,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )  # fmt: skip
    assert process.stderr is not None
    while "looking at" not in process.stderr.readline():
        assert process.poll() is None
    for _ in range(times):
        process.send_signal(number)
    output, errors = process.communicate(timeout=15)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "INTERRUPTED before everything was looked at" in output
    assert "Exit code 130" in output
    for service in SERVICES:
        assert service in output
    assert suite.exists()


def test_an_interrupted_search_still_tells_what_the_other_clusters_hold(scenario: Path) -> None:
    scenario.write_text(
        "title: One cluster hangs\noperator: {contexts: {exec-b: {server: unreachable}}}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "keptn_doctor", "check", "--lab", "--scenario", str(scenario)],
        cwd=REPOSITORY,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stderr is not None
    while "finding" not in process.stderr.readline():
        assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):  # long enough for the cluster that answers
        process.wait(timeout=3)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=15)
    assert process.returncode == 130
    assert len(errors.splitlines()) <= 3, errors
    assert "exec-a/keptn-exec/helm-service" in output
    assert "Nothing of execution plane exec-b could be seen." in output


def test_a_run_stops_at_its_time_limit_and_says_so(scenario: Path) -> None:
    run = keptn_doctor("check", "--lab", "--scenario", str(slow(scenario)), "--timeout", "5", "-q")
    assert "the run came to its limit of 5 s" in run.stdout
    assert "--timeout 10" in run.stdout
    assert run.returncode in (0, 3)


def test_a_bug_is_one_line_without_its_text_and_exit_4() -> None:
    program = (
        "from keptn_doctor.cli import cli, main\n"
        "@cli.command()\n"
        "def boom():\n"
        "    import keptn_doctor.renderers.wording as wording\n"
        "    wording.names([None])\n"
        "main(['boom'])\n"
    )
    run = python(program, code=4)
    assert len(run.stderr.splitlines()) == 1
    assert "AttributeError at wording.py:" in run.stderr
    assert "KEPTN_DOCTOR_DEBUG=1" in run.stderr
    assert "NoneType" not in run.stderr


def test_timings_say_where_the_time_went_and_only_when_asked(tmp_path: Path) -> None:
    document, bundle = tmp_path / "report.json", tmp_path / "bundle"
    run = keptn_doctor(
        "check", "--lab", "-q", "--timings", "-o", "text", "-o", f"json={document}",
        "--bundle", str(bundle),
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "WHERE THE TIME WENT" in run.stdout
    times = json.loads(document.read_text())["times"]
    spans = {span["name"]: span["spent"] for span in times["spans"]}
    assert spans["search/exec-a"]["requests"] > 0
    assert times["start_up_ms"] > 0
    assert times["judging_ms"] > 0
    again = keptn_doctor("judge", str(bundle), "-o", "json")
    assert json.loads(again.stdout)["times"] is None
