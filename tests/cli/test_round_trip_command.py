"""``--round-trip`` on the command line: its values, what it says beforehand, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import assert_one_clear_line, keptn_doctor

PLACE = ("--project", "sockshop", "--stage", "dev", "--service", "carts")
API = ("--endpoint", "http://keptn.invalid/api")


@pytest.mark.parametrize(
    ("options", "may"),
    [
        (("--round-trip",), "leave one event in Keptn for good"),
        (("--round-trip", "-q"), "leave one event in Keptn for good"),
        (("--round-trip=datastore",), "leave one event in Keptn for good"),
        (
            ("--round-trip=controller", *PLACE),
            "leave one failed sequence keptn-doctor in project sockshop, stage dev, for good",
        ),
        (("--round-trip", "service"), "make a Keptn project of its own for each round trip"),
        ((), "Nothing is created or changed."),
    ],
)
def test_the_plan_says_what_a_round_trip_would_leave(options: tuple[str, ...], may: str) -> None:
    run = keptn_doctor("check", "--plan", *API, *options)
    assert run.returncode == 0, run.stderr
    assert may in run.stdout.splitlines()[-1]
    writes = [line for line in run.stdout.splitlines() if line.startswith(("  POST", "  DELETE"))]
    assert bool(writes) == bool(options)


def test_a_level_that_is_none_is_one_clear_line() -> None:
    assert_one_clear_line(keptn_doctor("check", "--round-trip=everything"), "--round-trip")


def test_half_a_place_is_one_clear_line() -> None:
    run = keptn_doctor("check", *API, "--round-trip=controller", "--project", "sockshop")
    assert_one_clear_line(run, "--stage and --service missing")


def test_a_round_trip_that_cannot_be_made_is_no_success(tmp_path: Path) -> None:
    run = keptn_doctor("check", *API, "--round-trip", "-o", "json", cwd=tmp_path)
    assert run.returncode == 3, run.stderr
    assert "keptn-doctor: this run may leave one event in Keptn for good" in run.stderr
    report = json.loads(run.stdout)
    (note,) = [note for note in report["coverage"] if note["probe"] == "round-trip"]
    assert note["asked_for"]
    assert "no way to the Keptn API was found" in report["headline"]


@pytest.mark.lab
def test_a_failed_sequence_is_told_before_and_after() -> None:
    run = keptn_doctor("check", "--lab", "--round-trip=controller", *PLACE)
    assert run.returncode == 0, run.stdout
    before = "this run may leave one failed sequence keptn-doctor in project sockshop"
    assert before in run.stderr
    assert "one failed sequence keptn-doctor in project sockshop" in run.stdout


def test_cleanup_takes_the_token_and_endpoint_of_the_api(tmp_path: Path) -> None:
    run = keptn_doctor("cleanup", *API, cwd=tmp_path, KEPTN_API_TOKEN="not-a-real-one")
    assert run.returncode == 3
    assert "Keptn's projects were not searched: no way to its API was found" in run.stderr
    assert run.stdout == "removed 0, remaining 0\n"
