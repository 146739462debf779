"""The contract, for every check that the package brings, and the documentation page of each."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from keptn_doctor.catalogue import load_checks
from keptn_doctor.testing import CONTRACT, Entry

TESTS = Path(__file__).parent / "checks"
PAGES = Path(__file__).parent.parent / "docs" / "checks"
CHECKS = tuple(c for c in load_checks().checks if "keptn_doctor_checks" in c.source)


sys.path.insert(0, str(TESTS))  # the test modules share a helper beside them


def _examples(check_id):
    """``FAILS`` and ``PASSES`` of ``tests/checks/test_<id>.py``; empty without such a file."""
    name = f"test_{check_id.replace('-', '_')}"
    file = TESTS / f"{name}.py"
    if not file.exists():
        return (), ()
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    module = sys.modules[name]
    return tuple(module.FAILS), tuple(module.PASSES)


ENTRIES = {
    check.id: Entry(check=check, fails=fails, passes=passes, catalogue=CHECKS)
    for check in CHECKS
    for fails, passes in [_examples(check.id)]
}


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("check_id", ENTRIES)
def test_each_check_keeps_the_contract(check_id, rule):
    rule(ENTRIES[check_id])


def test_every_file_of_tests_belongs_to_a_check():
    named = {f.stem.removeprefix("test_").replace("_", "-") for f in TESTS.glob("test_*.py")}

    assert named - set(ENTRIES) == set()


def test_there_is_a_check_on_every_rung_of_the_path():
    layers = {check.layer.name for check in CHECKS}

    assert {
        "WORKLOAD", "CONFIGURATION", "RESOLVE", "CONNECT", "TLS", "HTTP", "AUTH", "REGISTRATION",
        "SUBSCRIPTION", "DELIVERY",
    } <= layers  # fmt: skip
