"""Keeping a lab up: what it says, and that it leaves nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from world_lab import run

from keptn_doctor.lab.command import keep
from keptn_doctor.lab.scenario import packaged
from keptn_doctor.usage import UsageError

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]


async def test_kubectl_works_while_it_is_kept_up_and_the_file_is_removed_after(
    tmp_path: Path,
) -> None:
    out, said, stop, told = tmp_path / "lab.kubeconfig", [], asyncio.Event(), asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("Ctrl-C"):
            told.set()

    kept = asyncio.create_task(keep(packaged("healthy"), out, say=say, stop=stop))
    async with asyncio.timeout(20):
        await told.wait()
    program = Path(sys.executable).parent / "kubectl"
    done = await run(str(program), "--kubeconfig", str(out), "get", "ns", "keptn")
    stop.set()
    async with asyncio.timeout(20):
        await kept
    assert done.returncode == 0, done.stderr
    assert f"  export KUBECONFIG={out}" in said
    assert any("exec-b" in line and "job-executor-service" in line for line in said)
    assert not out.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_in_good_order(number: signal.Signals) -> None:
    def say(line: str) -> None:
        if line.startswith("Ctrl-C"):
            signal.raise_signal(number)

    async with asyncio.timeout(20):
        await keep(packaged("healthy"), say=say)


async def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "config"
    out.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        await keep(packaged("healthy"), out)
    assert out.read_text() == "mine"


async def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        await keep(packaged("healthy"), tmp_path / "nowhere" / "config")
