"""From the options of a command to the targets of a run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
import msgspec

from keptn_doctor.targets import Options, Targets, resolve
from keptn_doctor.targets.config_file import RoundTripSection
from keptn_doctor.targets.options import parse_budget
from keptn_doctor.targets.resolution import probe_options
from keptn_doctor.targets.round_trip import trip_settings, with_room
from keptn_doctor.usage import UsageError


def targets_from(options: Mapping[str, Any], environ: Mapping[str, str]) -> Targets:
    """Resolve the options of ``check``; raises UsageError."""
    return resolve(Options(**_known(options)), environ, ask=_ask_token)


def _known(options: Mapping[str, Any]) -> dict[str, Any]:
    known = {field: options[field] for field in Options.__struct_fields__ if field in options}
    return {name: value for name, value in known.items() if value is not None}


def with_run_options(targets: Targets, options: Mapping[str, Any]) -> Targets:
    """The lab's targets with what the options say of the run itself."""
    given = Options(**_known(options))
    trip = trip_settings(given, RoundTripSection())
    wanted = bool(given.round_trip)
    usual_s = targets.deadlines.run_s + (trip.whole_s if wanted else 0.0)
    run_s = usual_s if given.timeout is None else given.timeout
    run_s = with_room(run_s, trip, wanted=wanted)
    deadlines = msgspec.structs.replace(
        targets.deadlines, run_s=run_s, budget_s=parse_budget(given.budget)
    )
    active = options["probe_pod"]
    return msgspec.structs.replace(
        targets,
        deadlines=deadlines,
        probe_pod=active,
        active=active,
        round_trip=wanted,
        trip=trip,
        probe=probe_options(given),
    )


def _ask_token() -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            "--ask-token needs a terminal; use --token-file FILE or the variable KEPTN_API_TOKEN"
        )
    return str(click.prompt("Keptn API token", hide_input=True, err=True))
