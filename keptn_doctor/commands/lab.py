"""``lab``: the embedded pair of clusters, kept running for kubectl and for trying things out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from keptn_doctor import exit_codes
from keptn_doctor.commands.scenarios import find_scenario


def run(options: dict[str, Any]) -> int:
    """Serve until Ctrl-C or TERM; that is the normal end."""
    from keptn_doctor.lab.command import keep  # noqa: PLC0415 - imports the servers

    scenario = find_scenario(options["scenario"] or "healthy")
    target = options["kubeconfig"]
    asyncio.run(keep(scenario, Path(target) if target else None, say=click.echo))
    return exit_codes.CONNECTED
