"""The examples for authors of checks work as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keptn_doctor.catalogue import load_checks
from keptn_doctor.testing import CONTRACT, Entry, keptn_service, world

EXAMPLES = Path(__file__).parents[2] / "examples"
PLUGIN = EXAMPLES / "keptn-doctor-plugin"

FAILS = (world(keptn_service(endpoint="http://192.0.2.10/api")),)
PASSES = (world(keptn_service()),)


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
def test_the_loose_check_keeps_the_contract(rule):
    catalogue = load_checks([EXAMPLES / "loose-checks"])
    check = catalogue.get("endpoint-without-tls")

    assert check is not None, catalogue.errors
    rule(Entry(check=check, fails=FAILS, passes=PASSES, catalogue=catalogue.checks))


def test_the_plugin_is_found_once_it_is_installed_and_passes_its_own_tests(tmp_path):
    """Installed by hand: a wheel's metadata beside its package, on a path of its own."""
    info = tmp_path / "keptn_doctor_acme-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: keptn-doctor-acme\nVersion: 0.1.0\n"
    )
    (info / "entry_points.txt").write_text("[keptn_doctor.checks]\nacme = acme_keptn_checks\n")
    (tmp_path / "acme_keptn_checks").symlink_to(PLUGIN / "src" / "acme_keptn_checks")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio",
         str(PLUGIN / "tests")],
        cwd=PLUGIN, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip

    assert run.returncode == 0, run.stdout + run.stderr
