"""Which world the lab builds: a file from anywhere, or one that comes with keptn-doctor."""

from __future__ import annotations

from pathlib import Path

from keptn_doctor import lab
from keptn_doctor.lab.scenario import Scenario, ScenarioError, load, packaged
from keptn_doctor.usage import UsageError


def find_scenario(name_or_file: str) -> Scenario:
    """The scenario of a file or of a packaged name; raises UsageError with file and line."""
    try:
        if name_or_file in packaged_names():
            return packaged(name_or_file)
        file = Path(name_or_file)
        if not file.suffix and not file.exists() and file.name == name_or_file:
            raise UsageError(
                f"no such scenario: {name_or_file}; give a file, or one of "
                f"{', '.join(packaged_names())}"
            )
        return load(file)
    except ScenarioError as error:
        raise UsageError(str(error)) from error


def packaged_names() -> tuple[str, ...]:
    """The scenarios that come with keptn-doctor."""
    folder = Path(lab.__file__).parent / "scenarios"
    return tuple(sorted(file.stem for file in folder.glob("*.yaml")))
