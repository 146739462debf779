"""A failed look is found by its probe's name, so every name in use must be registered."""

from __future__ import annotations

import ast
from pathlib import Path

import keptn_doctor
from keptn_doctor.judgement.needs import FACTS
from keptn_doctor.model.probe_names import FACT_OF_PROBE

ROOT = Path(keptn_doctor.__file__).parent


def _names_in_use():
    for file in (*ROOT.glob("*.py"), *(ROOT / "probes").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "look":
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def test_every_name_a_look_is_recorded_under_is_registered():
    used = set(_names_in_use())

    assert used, "no look was found: the test no longer sees how looks are recorded"
    assert used - set(FACT_OF_PROBE) == set()


def test_every_fact_has_one_probe():
    assert sorted(f.__name__ for f in FACT_OF_PROBE.values()) == sorted(f.__name__ for f in FACTS)
