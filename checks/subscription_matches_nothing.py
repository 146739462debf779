"""A subscription of a Keptn service can never match.

Meaning       Its filter names a project, stage or service that does not exist, or its event cannot
              be polled; the service looks healthy and gets nothing.
Decided by    The filters of the record (before 0.9 of the variables) against the projects, stages
              and services of the control plane; elements are compared exactly.
What to do    Correct the filter in the Bridge; the variables of a Helm upgrade change nothing once
              the registration exists.
False alarms  Filters that cover only the stages of this plane are the documented way to split
              stages. An element that does not exist yet, beside others that do, is advice only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    PodLog,
    ProjectListing,
    Subscription,
    attribute,
    check,
    failed,
    from_variables,
    passed,
    set_variable,
    skipped,
    undecided,
)

# Sequences and other types are never offered to pollers (shipyard-controller/handler/
# eventhandler.go@0.13.6); charts list some beside tasks, so one alone is no fault.
_POLLABLE = re.compile(r"sh\.keptn\.event\.[^.]+\.triggered$")


@check(about=KeptnService, layer=Layer.SUBSCRIPTION, breaks="degraded", since="0.1")
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    listing: IntegrationListing,
    projects: ProjectListing,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """Every element of every filter must be the exact name of something."""
    record = attribute(service, listing, logs).integration
    by_variables = service.behaviour.filters_from_environment
    registered = record.subscriptions if record else ()
    subscriptions = from_variables(service) if by_variables else registered
    if not subscriptions:
        return skipped(f"{service.name} has no subscription whose filter could be wrong.")
    if not projects.projects:
        return undecided("The control plane has no project that a filter could match.")
    remedy = "Correct the filter in the Bridge; names are compared exactly."
    command = "" if not by_variables else set_variable(plane, service, "STAGE_FILTER=<stages>")
    dead = [why for s in subscriptions if (why := _never(s, projects))]
    if not any(_POLLABLE.match(s.event) for s in subscriptions):
        dead = dead or [f"{subscriptions[0].event} is not the name of a task that is triggered"]
    if dead:
        rest = len(subscriptions) - len(dead)
        others = f" {rest} other subscriptions can match." if rest else ""
        return failed(
            f"A subscription of {service.name} can never match: {dead[0]}.{others}",
            remedy=remedy,
            command=command,
        )
    odd = [why for s in subscriptions if (why := _partly(s, projects))]
    if odd:
        return failed(
            f"A filter of {service.name} has an element that never matches: {odd[0]}.",
            remedy=remedy,
            command=command,
            severity="info",
            breaks="nothing",
        )
    return passed(f"Every filter of {service.name} names what exists.")


def _lists(
    subscription: Subscription, listing: ProjectListing
) -> Iterable[tuple[str, tuple[str, ...], set[str]]]:
    """Each filter with what it could name; projects narrow what stages and services there are."""
    wanted = subscription.projects
    within = [p for p in listing.projects if not wanted or p.name in wanted] or listing.projects
    stages = [stage for project in within for stage in project.stages]
    yield "project", subscription.projects, {project.name for project in listing.projects}
    yield "stage", subscription.stages, {stage.name for stage in stages}
    yield "service", subscription.services, {name for s in stages for name in s.services}


def _never(subscription: Subscription, listing: ProjectListing) -> str:
    """Why no event can pass: one filter has elements, and none of them exists."""
    if "*" in subscription.event or ">" in subscription.event:
        return f"{subscription.event} holds a wildcard, which polling does not understand"
    for kind, wanted, existing in _lists(subscription, listing):
        if wanted and existing and not existing & set(wanted):
            return f"there is no {kind} named {_quoted(wanted)}"
    return ""


def _partly(subscription: Subscription, listing: ProjectListing) -> str:
    for kind, wanted, existing in _lists(subscription, listing):
        for name in wanted:
            if existing and name.strip() not in existing:
                return f"there is no {kind} named {_quoted((name,))}"
    return ""


def _quoted(names: Iterable[str]) -> str:
    return " or ".join(f"“{name}”" for name in names)
