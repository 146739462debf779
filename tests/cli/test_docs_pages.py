"""The generated pages are fresh, complete and made of what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from keptn_doctor import docs_pages
from keptn_doctor.cli import cli
from keptn_doctor.exit_codes import MEANINGS
from keptn_doctor.model.findings import Layer
from keptn_doctor.model.report import Report

REPORT_PAGE = docs_pages.DOCS / "report.md"
DOC = """The moon is full.

Meaning       Wolves come
              out.
Decided by    The moon.

              | phase | answer |
              |---|---|
              | full | fail |
What to do    Wait.
False alarms  None.
"""


def test_the_generated_pages_are_fresh() -> None:
    assert docs_pages.stale(docs_pages.DOCS, docs_pages.pages()) == []


def test_a_docstring_becomes_four_sections() -> None:
    assert docs_pages.sections(DOC) == {
        "Meaning": "Wolves come\nout.",
        "Decided by": "The moon.\n\n| phase | answer |\n|---|---|\n| full | fail |",
        "What to do": "Wait.",
        "False alarms": "None.",
    }


def test_the_command_line_page_has_every_command_and_option() -> None:
    page = docs_pages.cli_page()
    for name, command in cli.commands.items():
        assert f"## keptn-doctor {name}\n" in page
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert all(f"`{option}`" in page for option in parameter.opts)


def test_the_exit_code_page_has_every_code() -> None:
    page = docs_pages.exit_codes_page()
    assert all(f"| {code} | {meaning} |" in page for code, meaning in MEANINGS.items())


@pytest.mark.parametrize("field", Report.__struct_fields__)
def test_the_report_page_names_every_field(field: str) -> None:
    assert f"`{field}`" in REPORT_PAGE.read_text(encoding="utf-8")


def test_the_report_page_names_every_layer() -> None:
    names = " | ".join(layer.name.lower() for layer in Layer)
    assert f"| {names} |" in REPORT_PAGE.read_text(encoding="utf-8")


def test_a_page_of_a_check_that_is_gone_is_stale_and_removed(tmp_path: Path) -> None:
    gone = tmp_path / "checks" / "gone.md"
    gone.parent.mkdir()
    gone.write_text("old")
    assert docs_pages.stale(tmp_path, {"checks/here.md": "x"}) == [
        "checks/here.md",
        "checks/gone.md",
    ]
    docs_pages.write(tmp_path, {"checks/here.md": "x"})
    assert [file.name for file in gone.parent.iterdir()] == ["here.md"]
