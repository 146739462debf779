"""docs/configuration.md knows every field, every variable, and shows a file that is valid."""

from __future__ import annotations

import re
from pathlib import Path

import keptn_doctor.targets.resolution
from keptn_doctor.targets.config_file import (
    ClusterSection,
    ConfigFile,
    ControlPlaneSection,
    NetworkSection,
    RoundTripSection,
    TimeoutSection,
    UpstreamSection,
    parse_config,
)

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
EXAMPLE = PAGE.partition("```yaml\n")[2].partition("```")[0]


def test_the_example_is_valid_and_shows_every_field() -> None:
    parse_config(Path("keptn-doctor.yaml"), EXAMPLE)
    sections = (
        ConfigFile, ControlPlaneSection, ClusterSection, NetworkSection, TimeoutSection,
        RoundTripSection, UpstreamSection,
    )  # fmt: skip
    fields = {field for section in sections for field in section.__struct_encode_fields__}
    assert {field for field in fields if not re.search(rf"\b{field}:", EXAMPLE)} == set()


def test_every_variable_is_named() -> None:
    table = re.findall(r"\b[A-Z_]{8,}\b", keptn_doctor.targets.resolution.__doc__ or "")
    assert len(table) > 8
    assert {name for name in table if f"`{name}`" not in PAGE} == set()
