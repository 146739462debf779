"""Helpers of tests are imported by name alone, so no two of them may share one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path


def test_no_two_modules_of_tests_have_one_name() -> None:
    tests = Path(__file__).parent
    names = Counter(
        file.name
        for file in tests.rglob("*.py")
        if file.name != "conftest.py" and not (file.parent / "__init__.py").exists()
    )

    assert [name for name, count in names.items() if count > 1] == []
