"""``lab``: the embedded pair of clusters, kept running for kubectl and for trying things out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from keptn_doctor import exit_codes
from keptn_doctor.commands.scenarios import find_scenario
from keptn_doctor.lab.scenario import Scenario
from keptn_doctor.signals import Interruption
from keptn_doctor.usage import UsageError


def run(options: dict[str, Any]) -> int:
    """Serve until Ctrl-C or TERM; that is the normal end."""
    scenario = find_scenario(options["scenario"] or "healthy")
    target = options["kubeconfig"]
    if target and (Path(target).is_dir() or not Path(target).parent.is_dir()):
        raise UsageError(f"cannot write the kubeconfig: {target}; give the path of a file")
    asyncio.run(_serve(scenario, target))
    return exit_codes.CONNECTED


async def _serve(scenario: Scenario, target: str | None) -> None:
    from keptn_doctor.lab.start import start  # noqa: PLC0415 - imports the servers

    interruption = Interruption()
    with interruption.watching():
        async with start(scenario) as lab:
            _announce(scenario, _hand_out(lab.kubeconfig, target))
            await interruption.stop.wait()


def _hand_out(kubeconfig: Path, target: str | None) -> Path:
    """Copy the kubeconfig, which holds tokens, to where the user wants it."""
    if target is None:
        return kubeconfig
    copy = Path(target)
    copy.touch(mode=0o600)
    copy.chmod(0o600)
    copy.write_bytes(kubeconfig.read_bytes())
    return copy.resolve()


def _announce(scenario: Scenario, kubeconfig: Path) -> None:
    click.echo(f"The lab is running: {scenario.title}")
    click.echo(f"  export KUBECONFIG={kubeconfig}")
    click.echo("  kubectl config get-contexts")
    click.echo("Ctrl-C ends it.")
