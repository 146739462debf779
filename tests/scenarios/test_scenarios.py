"""Each scenario is a whole run of the doctor, held against what its world really is."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.accuracy import run, scenario_files

pytestmark = pytest.mark.lab


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}" if file.parent.name != "scenarios" else file.stem


@pytest.mark.parametrize("file", scenario_files(), ids=_name)
def test_a_world_is_diagnosed_as_what_it_is(file: Path) -> None:
    outcome = run(file)
    told = "; ".join(outcome.notes)
    assert outcome.falsely_connected == (), told
    assert outcome.verdicts_right, told
    assert outcome.causes_right, told
    assert outcome.blamed == (), told
