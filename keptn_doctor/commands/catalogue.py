"""``checks`` and ``explain``: the catalogue for people."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from keptn_doctor import exit_codes
from keptn_doctor.catalogue import Catalogue, load_checks
from keptn_doctor.model.findings import Check
from keptn_doctor.usage import UsageError


def ids() -> tuple[str, ...]:
    """The ids of all installed checks, sorted."""
    return tuple(check.id for check in load_checks().checks)


def listing(check_dirs: Sequence[str], *, as_json: bool) -> int:
    """Print every check with id and title, by layer from low to high."""
    catalogue = load_checks(check_dirs)
    ordered = by_layer(catalogue.checks)
    if as_json:
        click.echo(json.dumps({"checks": [_summary(check) for check in ordered],
                               "errors": list(catalogue.errors)}, indent=2))  # fmt: skip
        return exit_codes.CONNECTED
    width = max((len(check.id) for check in ordered), default=0)
    for layer, checks in groupby(ordered, key=lambda check: check.layer):
        click.echo(layer.name.lower())
        for check in checks:
            click.echo(f"  {check.id:<{width}}  {check.title}")
    _complain(catalogue)
    return exit_codes.CONNECTED


def by_layer(checks: Iterable[Check]) -> list[Check]:
    return sorted(checks, key=lambda check: (check.layer, check.id))


def _summary(check: Check) -> dict[str, object]:
    return {
        "id": check.id,
        "layer": check.layer.name.lower(),
        "title": check.title,
        "about": check.about.__name__,
        "severity": check.severity,
        "breaks": check.breaks,
        "explained_by": list(check.explained_by),
        "explains": list(check.explains),
        "since": check.since,
        "source": check.source,
    }


def explain(check_id: str, check_dirs: Sequence[str]) -> int:
    """Print the documentation of one check; raises UsageError with near matches."""
    catalogue = load_checks(check_dirs)
    check = find(catalogue, check_id)
    click.echo(f"{check.id} ({check.layer.name.lower()}, {check.severity}, about: {about(check)})")
    click.echo()
    click.echo(check.doc.strip())
    if check.explained_by:
        click.echo()
        click.echo(f"Explained by  {', '.join(check.explained_by)}")
    if check.explains:
        click.echo()
        click.echo(f"Explains      {', '.join(check.explains)}")
    return exit_codes.CONNECTED


def about(check: Check) -> str:
    """What kind of thing a check is about, in the words of the glossary."""
    words = {
        "ControlPlane": "the control plane",
        "ExecutionPlane": "an execution plane",
        "Endpoint": "an endpoint",
        "KeptnService": "a Keptn service",
    }
    return words.get(check.about.__name__, check.about.__name__)


def find(catalogue: Catalogue, check_id: str) -> Check:
    """The check of this id; raises UsageError that names the nearest ones."""
    check = catalogue.get(check_id)
    if check is not None:
        return check
    known = [check.id for check in catalogue.checks]
    wanted = check_id.lower().replace("_", "-")
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    near += [name for name in known if wanted and wanted in name and name not in near][:3]
    hint = f"did you mean {' or '.join(near)}?" if near else "keptn-doctor checks lists them all"
    raise UsageError(f"no such check: {check_id}; {hint}")


def chosen_checks(options: Mapping[str, Any]) -> Catalogue:
    """The checks that a run judges with; raises UsageError."""
    for directory in options["check_dirs"]:
        if not Path(directory).is_dir():
            raise UsageError(f"no such directory of checks: {directory}; correct --checks")
    catalogue = load_checks(options["check_dirs"])
    return _select(catalogue, only=options["only"], skip=options["skip"])


def _select(catalogue: Catalogue, *, only: Sequence[str], skip: Sequence[str]) -> Catalogue:
    chosen = {find(catalogue, check_id).id for check_id in only}
    dropped = {find(catalogue, check_id).id for check_id in skip}
    kept = tuple(
        check
        for check in catalogue.checks
        if check.id not in dropped and (not chosen or check.id in chosen)
    )
    if catalogue.checks and not kept:
        raise UsageError("no check is left: --only and --skip exclude each other; drop one of them")
    return Catalogue(checks=kept, errors=catalogue.errors)


def _complain(catalogue: Catalogue) -> None:
    for error in catalogue.errors:
        click.echo(f"keptn-doctor: {error}", err=True)
