"""The reference page and the schema: complete, fresh, and true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from keptn_doctor.lab.reading import Reader
from keptn_doctor.lab.reference import EXAMPLES, records, reference_page, reference_pages
from keptn_doctor.lab.scenario import Scenario, load, loads
from keptn_doctor.lab.schema import schema

ROOT = Path(__file__).parents[3]
EXAMPLE_FILES = sorted(EXAMPLES.glob("*.yaml"))
PACKAGED = sorted((ROOT / "keptn_doctor" / "lab" / "scenarios").glob("*.yaml"))
WRITTEN = sorted((ROOT / "tests" / "scenarios").rglob("*.yaml"))


def named(files: list[Path]) -> Any:
    return pytest.mark.parametrize("file", files, ids=lambda file: file.stem)


@named([*EXAMPLE_FILES, *WRITTEN])
def test_every_example_and_scenario_can_be_read(file: Path) -> None:
    assert load(file).title


def used(value: Any, found: set[tuple[str, str]]) -> None:
    """Collect the fields of records that differ from their defaults."""
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(type(value)):
            given = getattr(value, field.name)
            if field.required or given != field.default:
                found.add((type(value).__name__, field.name))
            used(given, found)
    elif isinstance(value, dict):
        for item in value.values():
            used(item, found)
    elif isinstance(value, tuple):
        for item in value:
            used(item, found)


def test_the_examples_show_every_lever() -> None:
    found: set[tuple[str, str]] = set()
    for file in EXAMPLE_FILES:
        used(load(file), found)
    every = {(kind.__name__, f.name) for kind in records() for f in msgspec.structs.fields(kind)}
    assert every - found == set()


@named([*EXAMPLE_FILES, *PACKAGED, *WRITTEN])
def test_the_schema_accepts_what_can_be_read(file: Path) -> None:
    jsonschema.Draft202012Validator(schema()).validate(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize(
    "text",
    [
        "title: t\ncontrol-plane: {gatway: {}}",
        "title: t\nrunning-for: soon",
        "keptn: 1.4.5",
        "title: t\ncontrol-plane: {exposure: {by: magic}}",
        "title: t\nexecution-planes: {exec-a: {hops: [{behaviour: drop}]}}",
    ],
)
def test_the_schema_refuses_what_is_refused_when_read(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(yaml.safe_load(text))
    with pytest.raises(ValueError, match="scenario"):
        loads(text)


def test_the_page_names_every_record_and_lever() -> None:
    page = reference_page()
    for kind in records():
        for field in msgspec.structs.fields(kind):
            name = field.name.removesuffix("_s").replace("_", "-")
            assert f"`{name}`" in page or f"`{field.name.replace('_', '-')}`" in page


def test_the_pages_in_docs_are_fresh() -> None:
    for name, text in reference_pages().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, f"run make docs: {name}"


def test_lines_are_remembered_by_path() -> None:
    reader = Reader("file")
    reader.read("title: t\ncontrol-plane:\n  exposure:\n    by: ingress\n", Scenario)
    assert reader.lines["control-plane", "exposure", "by"] == 4
