"""A run that ends before its time takes its probe pod along; what KILL leaves, cleanup removes.

The doctor runs in a process of its own. The lab's API server keeps it waiting for the probe pod's
word, so that every signal comes while the pod is there.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keptn_doctor.lab.configuration import configuration
from keptn_doctor.lab.kube.cluster import Change
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab
from keptn_doctor.probes.probe_pod_manifest import RUN_LABEL

pytestmark = [pytest.mark.asyncio, pytest.mark.lab]

WORLD = """\
title: an API server that takes its time over probe pods
operator: {contexts: {exec-a: {may-write: true}, exec-b: {may-write: true}}}
execution-planes:
  exec-b:
    cluster:
      api-server:
      - {kind: hang, methods: [GET], path-prefix: /api/v1/namespaces/keptn-jes/pods/keptn-doctor-}
"""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A run that waits for its probe pod, which is there."""

    lab: Lab
    config: Path
    process: Process

    def left(self) -> list[str]:
        return [
            str(pod["metadata"]["name"])
            for cluster in self.lab.clusters.values()
            for pod in cluster.objects("pods")
            if RUN_LABEL in (pod["metadata"].get("labels") or {})
        ]

    async def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def report(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            said, _ = await self.process.communicate()
        found: dict[str, Any] = json.loads(said)
        return found


async def doctor(*arguments: str, folder: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "keptn_doctor", *arguments,
        cwd=folder, env={"PATH": "/usr/bin:/bin", "HOME": str(folder)}, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip


@asynccontextmanager
async def waiting_run(folder: Path) -> AsyncIterator[Waiting]:
    async with start(loads(WORLD)) as lab:
        made = asyncio.Event()

        def watch(change: Change) -> None:
            if change.kind == "ADDED" and change.key == ("", "pods"):
                made.set()

        lab.clusters["exec-b"].listen(watch)
        config = folder / "doctor.yaml"
        config.write_text(configuration(lab.targets(), lab.kubeconfig))
        process = await doctor(
            "check", "--config", str(config), "--probe-pod", "-o", "json", folder=folder
        )
        try:
            async with asyncio.timeout(30):
                await made.wait()
            yield Waiting(lab=lab, config=config, process=process)
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_one_signal_removes_the_pod_and_reports(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with waiting_run(tmp_path) as run:
        assert len(run.left()) == 1
        await run.tell(number)
        report = await run.report()
        assert run.left() == []
        assert run.process.returncode == 130
    assert (report["created"], report["remaining"]) == (1, 0)
    assert report["interrupted"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_second_signal_does_not_keep_the_pod_from_being_removed(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with waiting_run(tmp_path) as run:
        await run.tell(number)
        await run.tell(number)
        report = await run.report()
        assert run.left() == []
    assert (report["created"], report["remaining"]) == (1, 0)


async def test_what_a_killed_run_left_is_removed_by_cleanup_and_nothing_else(
    tmp_path: Path,
) -> None:
    async with waiting_run(tmp_path) as run:
        before = {p["metadata"]["name"] for p in run.lab.clusters["exec-b"].objects("pods")}
        await run.tell(signal.SIGKILL)
        async with asyncio.timeout(10):
            await run.process.wait()
        (left,) = run.left()
        cleaning = await doctor("cleanup", "--config", str(run.config), folder=tmp_path)
        async with asyncio.timeout(30):
            said, complained = await cleaning.communicate()
        assert (cleaning.returncode, complained) == (0, b"")
        assert said.decode().splitlines() == [
            f"removed pod keptn-jes/{left} in exec-b", "removed 1, remaining 0",
        ]  # fmt: skip
        after = {p["metadata"]["name"] for p in run.lab.clusters["exec-b"].objects("pods")}
        assert before - after == {left}


async def test_a_killed_runs_pod_ends_and_goes_without_anybodys_help(tmp_path: Path) -> None:
    async with waiting_run(tmp_path) as run:
        await run.tell(signal.SIGKILL)
        (name,) = run.left()
        cluster = run.lab.clusters["exec-b"]
        pod = cluster.get("pods", name, "keptn-jes")
        assert pod is not None
        assert 0 < pod["spec"]["activeDeadlineSeconds"] <= 60
        owner = pod["metadata"]["ownerReferences"][0]["name"]
        cluster.remove("pods", owner, "keptn-jes")  # as the next rollout does
        assert run.left() == []
