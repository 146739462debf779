"""Which libraries a command loads: the start of a process is mostly that."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ceilings import HELP_MODULES

from benchmarks.speed.processes import ROOT, lab

HELP_NEEDS_NONE_OF = {
    "aiohttp", "asyncio", "cryptography", "dns", "h11", "httpcore", "httpx", "keptn_doctor_checks",
    "kubernetes", "msgspec", "rich", "ssl", "wsproto",
}  # fmt: skip
CHECK_NEEDS_NONE_OF = {
    "aiohttp", "cryptography", "hypothesis", "kubernetes", "pygments", "pytest",
}  # fmt: skip
FIRST_REQUEST_NEEDS_NONE_OF = {"cryptography", "dns", "keptn_doctor_checks", "wsproto"}


def _loaded_by(*command: str) -> set[str]:
    """Every module that a Python program has imported at its end, by ``-X importtime``."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", *command], cwd=ROOT, text=True, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode in (0, 1), ran.stderr[-2000:]
    rows = [line.rpartition("|")[2].strip() for line in ran.stderr.splitlines() if "|" in line]
    return set(rows)


def _packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_help_loads_no_library_but_click() -> None:
    modules = _loaded_by("-m", "keptn_doctor", "--help")
    assert "click" in modules
    assert not _packages(modules) & HELP_NEEDS_NONE_OF
    assert len(modules) <= HELP_MODULES


def test_the_first_request_waits_for_no_library_that_only_later_ones_need() -> None:
    modules = _loaded_by("-c", "import keptn_doctor.commands.check, keptn_doctor.doctor")
    assert "httpx" in modules
    assert not _packages(modules) & FIRST_REQUEST_NEEDS_NONE_OF


@pytest.mark.lab
def test_check_loads_neither_the_lab_nor_the_kubernetes_package() -> None:
    with lab(planes=1, services=1) as running:
        command = ("check", "--quiet", "--config", running.world["config"])
        modules = _loaded_by("-m", "keptn_doctor", *command)
    assert "httpx" in modules
    assert not _packages(modules) & CHECK_NEEDS_NONE_OF
    assert not any(name.startswith("keptn_doctor.lab") for name in modules)


def test_a_library_that_is_loaded_is_noticed() -> None:
    modules = _loaded_by("-c", "import msgspec; import keptn_doctor.cli")
    assert _packages(modules) & HELP_NEEDS_NONE_OF == {"msgspec"}
