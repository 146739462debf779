"""``cleanup``: remove the probe pods and the projects that a run left behind when it was killed.

Only pods with the label of a run are touched, and only projects whose name has exactly the form
that round trips give theirs; the clients refuse any other.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from keptn_doctor import exit_codes
from keptn_doctor.commands.cleanup_pods import remove_pods
from keptn_doctor.commands.cleanup_projects import control_plane_alone, remove_projects
from keptn_doctor.commands.outcome import Outcome
from keptn_doctor.commands.targets import targets_from
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.session import Session
from keptn_doctor.targets import Targets


def run(options: Mapping[str, Any], environ: Mapping[str, str]) -> int:
    """Remove and tell; 3 when something could not be searched, 4 when something remains."""
    targets = msgspec.structs.replace(targets_from(options, environ), active=True)
    dry_run = bool(options["dry_run"])
    outcomes = asyncio.run(_everywhere(targets, environ, dry_run=dry_run))
    removed = [line for outcome in outcomes for line in outcome.removed]
    remaining = [line for outcome in outcomes for line in outcome.remaining]
    not_searched = [line for outcome in outcomes for line in outcome.not_searched]
    verb = "would remove" if dry_run else "removed"
    for line in removed:
        click.echo(f"{verb} {line}")
    for line in (*remaining, *not_searched):
        click.echo(f"keptn-doctor: {line}", err=True)
    click.echo(f"{verb} {len(removed)}, remaining {len(remaining)}")
    if remaining:
        return exit_codes.DOCTOR_FAILED
    return exit_codes.UNKNOWN if not_searched else exit_codes.CONNECTED


async def _everywhere(
    targets: Targets, environ: Mapping[str, str], *, dry_run: bool
) -> tuple[Outcome, ...]:
    def now() -> datetime:
        return datetime.now(UTC)

    places = {(t.context, t.kubeconfig, t.in_cluster): t for t in reversed(targets.clusters())}

    def opened(targets: Targets) -> Session:
        recorder = Recorder(now=now)
        return Session(targets, recorder, salt=os.urandom(16), now=now, environ=environ)

    async def projects(targets: Targets) -> Outcome:
        async with opened(targets) as session:
            return await remove_projects(session, dry_run=dry_run)

    alone = control_plane_alone(targets)
    async with opened(targets) as session:
        pods = (remove_pods(session, target, dry_run=dry_run) for target in places.values())
        return tuple(await asyncio.gather(*pods, *((projects(alone),) if alone else ())))
