"""A lab in a process of its own, as ``keptn-doctor lab`` starts it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import REPOSITORY, environment


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a healthy lab that an administrator looks at."""
    kubeconfig = tmp_path_factory.mktemp("lab") / "kubeconfig"
    scenario = Path(__file__).with_name("may_write.yaml")
    process = subprocess.Popen(
        [sys.executable, "-m", "keptn_doctor", "lab", "--scenario", str(scenario),
         "--kubeconfig", str(kubeconfig)],
        cwd=REPOSITORY,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert "The lab is running" in process.stdout.readline()
    yield kubeconfig
    process.send_signal(signal.SIGTERM)
    process.stdout.read()
    assert process.wait(timeout=30) == 0
    process.stdout.close()
