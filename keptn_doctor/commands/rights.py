"""``rbac`` and ``check --plan``: what a run needs and what it would touch, in print."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import click

from keptn_doctor import exit_codes
from keptn_doctor.commands.catalogue import chosen_checks
from keptn_doctor.rights.plan import plan, what_round_trips_leave
from keptn_doctor.rights.rbac import Subject, manifests
from keptn_doctor.targets import Targets
from keptn_doctor.usage import UsageError


def rbac(options: Mapping[str, Any]) -> int:
    """Print the manifests of one role; raises UsageError."""
    text = manifests(
        options["role"],
        namespaces=options["namespaces"],
        active=options["probe_pod"],
        facts=_facts(options),
        cluster_wide=not options["namespaces_only"],
        subject=_subject(options),
    )
    click.echo(text, nl=False)
    return exit_codes.CONNECTED


def _facts(options: Mapping[str, Any]) -> frozenset[type] | None:
    """What the chosen checks ask for; None when no check was chosen or dropped."""
    if not (options["only"] or options["skip"]):
        return None
    checks = chosen_checks(options).checks
    return frozenset(need.kind for check in checks for need in check.needs if need.is_fact)


def _subject(options: Mapping[str, Any]) -> Subject:
    if options["user"] and options["group"]:
        raise UsageError("--user and --group exclude each other; drop one of them")
    if options["user"]:
        return Subject(kind="User", name=options["user"])
    if options["group"]:
        return Subject(kind="Group", name=options["group"])
    return Subject()


def print_plan(targets: Targets, environ: Mapping[str, str]) -> int:
    """Print every host, verb and object that a run on these targets would touch."""
    lines = plan(targets, environ)
    for host, group in groupby(lines, key=lambda line: line.host):
        click.echo(host)
        for line in group:
            why = f"  ({line.why})" if line.why else ""
            click.echo(f"  {line.verb:<8} {line.object}{why}")
    may = [
        text
        for text, asked in (
            ("create probe pods", targets.active),
            (what_round_trips_leave(targets), targets.round_trip),
        )
        if asked
    ]
    changes = f"It may {' and '.join(may)}." if may else "Nothing is created or changed."
    click.echo(f"\n{changes} Nothing was touched for this list.")
    return exit_codes.CONNECTED
