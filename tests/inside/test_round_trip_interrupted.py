"""A run that ends before its time takes its project along; what KILL leaves, cleanup removes.

The doctor runs in a process of its own. A gate before Keptn stops it at a chosen write, so that
every signal comes at a known moment.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import pytest
from gate import Gate, config_through, gated, gateway_of
from trips import world

from keptn_doctor.lab.configuration import configuration
from keptn_doctor.lab.world import Lab

pytestmark = [pytest.mark.asyncio, pytest.mark.lab]

PROVIDED = "control-plane: {automatic-provisioning: true}\n"
SILENT = PROVIDED + (
    "execution-planes: {exec-a: {services: {jmeter-service: {service: {sends-events: false}}}}}\n"
)
WRITES = 4  # project, service, event, removal
AT_ONCE = 4


async def doctor(lab: Lab, *arguments: str, folder: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "keptn_doctor", *arguments, cwd=folder, stdout=PIPE, stderr=PIPE,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "KEPTN_API_TOKEN": lab.api_token},
    )  # fmt: skip


async def round_trip(lab: Lab, gate: Gate, folder: Path) -> Process:
    config = config_through(lab, gate, folder)
    return await doctor(
        lab, "check", "--config", str(config), "--round-trip=service", "--keptn-service",
        "jmeter-service", "-o", "json", "-q", folder=folder,
    )  # fmt: skip


async def report(process: Process) -> dict[str, Any]:
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    found: dict[str, Any] = json.loads(said)
    return found


def left(lab: Lab, gate: Gate) -> dict[str, dict[str, int]]:
    return {name: what for name in gate.projects if (what := lab.left_of(name))}


@pytest.mark.parametrize("signals", [(signal.SIGINT,), (signal.SIGTERM, signal.SIGINT)])
async def test_a_run_that_is_stopped_while_it_waits_removes_its_project(
    tmp_path: Path, signals: tuple[signal.Signals, ...]
) -> None:
    async with world(SILENT) as lab:
        waiting = asyncio.Event()

        async def sent() -> None:
            waiting.set()

        gate = Gate(gateway_of(lab), stop_at=3, after=sent)
        async with gated(gate):
            process = await round_trip(lab, gate, tmp_path)
            async with asyncio.timeout(60):
                await waiting.wait()
            assert left(lab, gate) != {}
            for number in signals:
                process.send_signal(number)
            said = await report(process)
            assert left(lab, gate) == {}
    assert process.returncode == 130
    assert (said["created"], said["remaining"], said["interrupted"]) == (1, 0, True)


async def test_a_project_whose_creation_is_under_way_is_waited_for_and_removed(
    tmp_path: Path,
) -> None:
    async with world(PROVIDED) as lab:
        made, stopped = asyncio.Event(), asyncio.Event()

        async def held_back() -> None:
            made.set()
            await stopped.wait()

        gate = Gate(gateway_of(lab), stop_at=1, after=held_back)
        async with gated(gate):
            process = await round_trip(lab, gate, tmp_path)
            async with asyncio.timeout(60):
                await made.wait()
            process.send_signal(signal.SIGINT)
            stopped.set()
            said = await report(process)
            assert len(gate.projects) == 1
            assert left(lab, gate) == {}
    assert (said["created"], said["remaining"]) == (1, 0)


async def test_what_runs_that_were_killed_at_any_write_left_is_removed_by_cleanup(
    tmp_path: Path,
) -> None:
    async with world(PROVIDED) as lab:
        at_once = asyncio.Semaphore(AT_ONCE)
        gates = await asyncio.gather(
            *(
                _killed(lab, tmp_path, at_once, stop_at=number, when=when)
                for number in range(1, WRITES + 1)
                for when in ("before", "after")
            )
        )
        there = {
            name
            for gate in gates
            for name in gate.projects
            if name in lab.simulation.keptn.projects
        }
        assert len(there) == 2 * WRITES - 2, "all but those killed at the two ends"
        config = tmp_path / "doctor.yaml"
        config.write_text(configuration(lab.targets(), lab.kubeconfig))
        told = await _cleanup(lab, tmp_path, "--config", str(config), "--dry-run")
        assert told[-1] == f"would remove {len(there)}, remaining 0"
        told = await _cleanup(lab, tmp_path, "--config", str(config))
        assert sorted(told[:-1]) == sorted(f"removed project {name} in Keptn" for name in there)
        assert [left(lab, gate) for gate in gates if left(lab, gate)] == []
        assert "sockshop" in lab.simulation.keptn.projects


async def test_an_answer_that_comes_after_kill_and_cleanup_leaves_nothing(tmp_path: Path) -> None:
    slow = "execution-planes: {exec-a: {services: {jmeter-service: {service: {takes: 4s}}}}}\n"
    async with world(PROVIDED + slow) as lab:
        gate = await _killed(lab, tmp_path, asyncio.Semaphore(), stop_at=3, when="after")
        (name,) = gate.projects
        config = tmp_path / "doctor.yaml"
        config.write_text(configuration(lab.targets(), lab.kubeconfig))
        told = await _cleanup(lab, tmp_path, "--config", str(config))
        assert told == [f"removed project {name} in Keptn", "removed 1, remaining 0"]
        assert lab.left_of(name) == {}


async def _killed(
    lab: Lab, folder: Path, at_once: asyncio.Semaphore, *, stop_at: int, when: str
) -> Gate:
    """One run, killed just before or just after a write; the gate that it went through."""
    process: Process | None = None
    killed = asyncio.Event()

    async def kill() -> None:
        assert process is not None
        process.kill()
        killed.set()
        if when == "before":
            raise ConnectionResetError

    async with at_once:
        gate = Gate(gateway_of(lab), stop_at=stop_at, **{when: kill})
        async with gated(gate):
            process = await round_trip(lab, gate, folder)
            async with asyncio.timeout(60):
                await killed.wait()
                await process.communicate()
    return gate


async def _cleanup(lab: Lab, folder: Path, *arguments: str) -> list[str]:
    process = await doctor(lab, "cleanup", *arguments, folder=folder)
    async with asyncio.timeout(60):
        said, complained = await process.communicate()
    assert (process.returncode, complained) == (0, b""), said
    return said.decode().splitlines()
