"""``check``: from options to a report, in the order in which a user can have gone wrong."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keptn_doctor import exit_codes
from keptn_doctor.cli import DEBUG_VARIABLE
from keptn_doctor.commands.outputs import refuse_unwritable, wants_color
from keptn_doctor.commands.reports import deliver, delivery_from, judged, keep, load_renderer
from keptn_doctor.commands.targets import targets_from, with_run_options
from keptn_doctor.model.evidence import Snapshot
from keptn_doctor.progress import Progress, open_progress
from keptn_doctor.signals import Interruption
from keptn_doctor.targets import Targets
from keptn_doctor.targets.options import parse_budget
from keptn_doctor.usage import UsageError

if TYPE_CHECKING:
    from keptn_doctor.catalogue import Catalogue
    from keptn_doctor.lab.scenario import Scenario

_LAB_EXCLUDES = {
    "control_plane": "--control-plane",
    "execution_planes": "--execution-plane",
    "kubeconfig": "--kubeconfig",
    "config": "--config",
    "namespaces": "--namespace",
    "control_plane_namespace": "--control-plane-namespace",
    "in_cluster": "--in-cluster",
    "endpoint": "--endpoint",
    "token_file": "--token-file",
    "ask_token": "--ask-token",
    "ca_file": "--ca-file",
    "nameservers": "--nameserver",
    "connect_to": "--connect-to",
    "proxy": "--proxy",
    "log_window": "--log-window",
}


def run(options: dict[str, Any], environ: Mapping[str, str]) -> int:
    """One run; gives the exit code, raises UsageError before anything was looked at."""
    delivery = delivery_from(options)
    if options["bundle"]:
        refuse_unwritable(options["bundle"], "bundle")
    judges = functools.cache(lambda: _judges(options))
    if any(options[name] for name in ("check_dirs", "only", "skip")):
        judges()  # a mistake in these is told before anything is looked at
    parse_budget(options["budget"] or "")  # as is one in this, before a lab starts
    world = _world(options, environ)
    color = wants_color("auto", to_stdout=True, environ=environ)
    progress = open_progress(sys.stderr, quiet=options["quiet"], color=color)
    if options["plan"]:
        return asyncio.run(_plan(world, options, environ, progress))

    def meanwhile() -> None:
        judges()
        load_renderer(delivery)

    snapshot = _run_to_a_snapshot(_examine(world, options, progress, meanwhile=meanwhile))
    code = deliver(judged(snapshot, judges(), delivery), delivery, environ)
    if options["bundle"] and not keep(snapshot, options["bundle"]):
        code = exit_codes.DOCTOR_FAILED
    if snapshot.interrupted:
        _leave_at_once(code)
    return code


def _judges(options: dict[str, Any]) -> Catalogue:
    """The checks of the run; loading their 130 modules takes as long as a few answers."""
    from keptn_doctor.commands.catalogue import chosen_checks  # noqa: PLC0415 - it loads them

    return chosen_checks(options)


def _run_to_a_snapshot(work: Coroutine[Any, Any, Snapshot]) -> Snapshot:
    """Run it in an event loop of its own, which an interrupted run leaves open.

    Closing waits for threads, and one of them may be waiting for a credential plugin.
    """
    runner = asyncio.Runner()
    try:
        snapshot = runner.run(work)
    except BaseException:
        runner.close()
        raise
    if not snapshot.interrupted:
        runner.close()
    return snapshot


def _world(options: dict[str, Any], environ: Mapping[str, str]) -> Targets | Scenario:
    """What to look at: real targets, or the scenario of a lab that is yet to be started."""
    if options["scenario"] and not options["lab"]:
        raise UsageError("--scenario belongs to the lab; add --lab")
    if not options["lab"]:
        return targets_from(options, environ)
    given = [option for name, option in _LAB_EXCLUDES.items() if options[name]]
    if given:
        raise UsageError(f"--lab brings its own targets; drop {given[0]}, or drop --lab")
    from keptn_doctor.commands.scenarios import find_scenario  # noqa: PLC0415 - only with --lab

    return find_scenario(options["scenario"] or "healthy")


async def _examine(
    world: Targets | Scenario,
    options: dict[str, Any],
    progress: Progress,
    *,
    meanwhile: Callable[[], object],
) -> Snapshot:
    from keptn_doctor.doctor import examine  # noqa: PLC0415 - imports every client library

    if DEBUG_VARIABLE not in os.environ:
        # What a cancelled task still has to say would be a traceback on the user's terminal.
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    interruption = Interruption()
    with interruption.watching():
        async with _opened(world, options, progress) as targets:
            if targets.round_trip and not options["quiet"]:
                _announce(targets, progress)
            try:
                return await examine(
                    targets,
                    progress=progress,
                    interruption=interruption,
                    meanwhile=meanwhile,
                    start_up_ms=_age_of_this_process_ms(),
                )
            finally:
                progress.close()


def _announce(targets: Targets, progress: Progress) -> None:
    """What a round trip leaves is said before it is sent, while Ctrl-C can still prevent it."""
    from keptn_doctor.rights.plan import what_round_trips_leave  # noqa: PLC0415 - for this alone

    progress.close()
    click.echo(f"keptn-doctor: this run may {what_round_trips_leave(targets)}", err=True)


def _age_of_this_process_ms() -> float:
    """From its start to now; where the system does not tell (proc(5)), the processor's time."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        started_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # field 22, after boot
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - started_s
    except (OSError, ValueError, AttributeError, IndexError):
        age_s = time.process_time()
    return round(age_s * 1000, 1)


async def _plan(
    world: Targets | Scenario,
    options: dict[str, Any],
    environ: Mapping[str, str],
    progress: Progress,
) -> int:
    from keptn_doctor.commands.rights import print_plan  # noqa: PLC0415 - for this alone

    async with _opened(world, options, progress) as targets:
        progress.close()
        return print_plan(targets, environ)


@asynccontextmanager
async def _opened(
    world: Targets | Scenario, options: dict[str, Any], progress: Progress
) -> AsyncIterator[Targets]:
    """The targets of the run; a lab lives as long as they are needed."""
    if isinstance(world, Targets):
        yield world
        return
    from keptn_doctor.lab.scenario import ScenarioError  # noqa: PLC0415 - only a command
    from keptn_doctor.lab.start import start  # noqa: PLC0415   knows the lab

    progress.stage(f"starting the lab: {world.title}")
    try:
        async with start(world) as lab:
            yield with_run_options(lab.targets(), options)
    except ScenarioError as error:
        raise UsageError(str(error)) from error


def _leave_at_once(code: int) -> None:
    """Without waiting for threads, as the interpreter's own end would."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
