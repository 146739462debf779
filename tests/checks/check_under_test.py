"""The check that a test module is named after, run on one world."""

from __future__ import annotations

from pathlib import Path

from keptn_doctor.catalogue import load_checks
from keptn_doctor.testing import run_check

CATALOGUE = load_checks()


def judge_one(test_file, snapshot):
    """The only finding of that check."""
    check_id = Path(test_file).stem.removeprefix("test_").replace("_", "-")
    check = CATALOGUE.get(check_id)
    assert check is not None, f"there is no check {check_id}"
    (finding,) = run_check(check, snapshot)
    return finding
