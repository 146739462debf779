"""Which task of which Keptn service a round trip may use, and why not another.

Pure: it reads the registrations and decides by names, since nobody can ask a service what it would
do. What would deploy, release, roll back or repair something is refused, also when it is another
subscriber of the same task that would; that this errs is possible, so a choice by itself takes
tasks of a short list alone, and any other service has to be named by the user.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product

from keptn_doctor.model.base import Record
from keptn_doctor.model.keptn_facts import (
    Integration,
    IntegrationListing,
    OpenEvent,
    Subscription,
)
from keptn_doctor.model.topology import KeptnService
from keptn_doctor.probes.round_trip_writes import TASK
from keptn_doctor.reading.subscription import from_variables, takes

_TASK_TYPE = "sh.keptn.event.{}.triggered"
HARMLESS_TASKS = frozenset({"approval", "evaluation", "test"})

_ALLOW = "--allow-deploying, once you know what it will do"
_TASK_EVENT = re.compile(r"sh\.keptn\.event\.([^.]+)\.triggered")
_ACTING_TASKS = re.compile(
    r"deploy|release|roll-?back|roll-?out|promot|action|remed|scal|restart|delet|destroy|teardown"
    r"|provision|configur|upgrade|migrat|install|deliver|canary|traffic"
)
_ACTING_SERVICES = re.compile(
    r"helm|argo|flux|deploy|ansible|terraform|crossplane|unleash|rollout|remediation|jenkins|tekton"
    r"|spinnaker|octopus|gitlab|devops|keda|release|litmus|chaos|gremlin"
)
_WORKS_BY_JOBS = "job-executor-service"
_USUAL_STAGE, _USUAL_SERVICE = "round-trip", "keptn-doctor"
_OWN_PROJECT = "a new one"  # a blank is in no project's name, so no filter lets it through
_MOST_NAMES = 10
_DEAD_AFTER = timedelta(minutes=2)  # twelve heartbeats


class Choice(Record, frozen=True, kw_only=True):
    """A task that reaches the Keptn service, and names that its filters let through."""

    task: str
    stage: str = _USUAL_STAGE
    service: str = _USUAL_SERVICE
    harmless: bool = False  # by the short list
    empty_job: bool = False  # it answers where the project has a job for it, so it gets one
    namesakes: tuple[str, ...] = ()  # who else answers under its name
    others: tuple[str, ...] = ()  # names of other subscribers of the task

    @property
    def event(self) -> str:
        return _TASK_TYPE.format(self.task)


class Refusal(Record, frozen=True, kw_only=True):
    """Why a round trip is not made, and what would change that."""

    reason: str
    unlock: str = ""


def names_of(service: KeptnService) -> frozenset[str]:
    """What it calls itself as the source of its events."""
    return frozenset(filter(None, (service.integration_name, service.name)))


def choose(
    service: KeptnService, listing: IntegrationListing, *, allow_deploying: bool = False
) -> Choice | Refusal:
    """The most harmless task that reaches the service, or why there is none."""
    own = [i for i in listing.integrations if _is_own(i, service)]
    subscriptions = tuple(s for i in own for s in i.subscriptions)
    if not own and service.behaviour.polls_without_registration:
        subscriptions = from_variables(service)
    elif not own:
        return Refusal(reason="it is not registered, so no event reaches it")
    if not subscriptions:
        return Refusal(reason="it subscribes to nothing, so no event reaches it")
    alive = [i for i in listing.integrations if _is_alive(i, listing.server_time)]
    strangers = [i for i in alive if i not in own]
    own = [i for i in own if i in alive] or own[:1]
    tasks = [(s, task) for s in subscriptions if (task := _task_of(s))]
    if not tasks:
        events = ", ".join(dict.fromkeys(s.event for s in subscriptions))
        return Refusal(reason=f"it subscribes to no event of a task, only to {events}")
    quiet = [(s, t) for s, t in tasks if allow_deploying or not _acts(t, *names_of(service))]
    if not quiet:
        return _may_act([task for _, task in tasks])
    found = [
        _by(subscription, task, service, own, strangers, allow_deploying=allow_deploying)
        for subscription, task in quiet
    ]
    choices = [choice for choice in found if isinstance(choice, Choice)]
    if not choices:
        return _together([refusal for refusal in found if isinstance(refusal, Refusal)])
    return min(choices, key=lambda c: (not c.harmless, bool(c.namesakes), len(c.others)))


def _task_of(subscription: Subscription) -> str:
    """The task whose events it takes, "" when it takes others or all."""
    matched = _TASK_EVENT.fullmatch(subscription.event)
    return matched[1] if matched and TASK.fullmatch(matched[1]) else ""


def _may_act(tasks: list[str]) -> Refusal:
    alone = len(tasks) == 1
    listed = tasks[0] if alone else f"{', '.join(tasks[:-1])} and {tasks[-1]}"
    what = f"its task {listed}" if alone else f"each of its tasks {listed}"
    return Refusal(reason=f"{what} may change something, to go by the names", unlock=_ALLOW)


def _is_own(integration: Integration, service: KeptnService) -> bool:
    known = integration.namespace and service.integration_namespace
    return integration.name in names_of(service) and (
        not known or integration.namespace == service.integration_namespace
    )


def _is_alive(integration: Integration, now: datetime | None) -> bool:
    """Whether a record is anybody's: dead ones stay for days, and answer nothing."""
    if now is None or integration.last_seen is None:
        return True
    return now - integration.last_seen <= _DEAD_AFTER


def _by(
    subscription: Subscription,
    task: str,
    service: KeptnService,
    own: list[Integration],
    strangers: list[Integration],
    *,
    allow_deploying: bool,
) -> Choice | Refusal:
    if subscription.projects:
        listed = ", ".join(subscription.projects)
        return Refusal(
            reason=f"its subscription to {task} takes events of project {listed} only, and a round "
            "trip runs in a project of its own",
            unlock="a subscription without a project filter",
        )
    names = list(_names(subscription))
    if not names:
        return Refusal(reason=f"its filters for {task} hold names that nothing in Keptn can have")
    made = [_choice(task, place, service, own, strangers) for place in names]
    best = min(made, key=lambda c: (_acting_among(c), bool(c.namesakes), len(c.others)))
    others = sorted(name for name in best.others if _acts("", name))
    if others and not allow_deploying:
        return Refusal(
            reason=f"{' and '.join(others)} would get its task {task} too, and may change "
            "something",
            unlock=_ALLOW,
        )
    return best


def _acts(task: str, *names: str) -> bool:
    """Whether a name gives away that something would be changed."""
    return bool(_ACTING_TASKS.search(task)) or any(map(_ACTING_SERVICES.search, names))


def _acting_among(choice: Choice) -> int:
    return sum(1 for name in choice.others if _acts("", name))


def _names(subscription: Subscription) -> Iterator[tuple[str, str]]:
    """Stage and service that the filters let through.

    They are compared as they stand, blanks included (``EventMatcher``,
    ``distributor/pkg/utils/utils.go@0.16.2``).
    """
    stages = subscription.stages[:_MOST_NAMES] or (_USUAL_STAGE,)
    services = subscription.services[:_MOST_NAMES] or (_USUAL_SERVICE,)
    for stage, service in product(stages, services):
        if TASK.fullmatch(stage) and TASK.fullmatch(service):
            yield stage, service


def _choice(
    task: str,
    place: tuple[str, str],
    service: KeptnService,
    own: list[Integration],
    strangers: list[Integration],
) -> Choice:
    stage, app = place
    event = OpenEvent(
        id="", type=_TASK_TYPE.format(task), project=_OWN_PROJECT, stage=stage, service=app
    )
    reached = [
        i for i in strangers if any(takes(s, event, wildcards=True) for s in i.subscriptions)
    ]
    twins = [f"{i.namespace or '?'}/{i.name}" for i in reached if i.name in names_of(service)]
    more_records = [f"registration {i.id[:12]}" for i in own[1:]]
    return Choice(
        task=task,
        stage=stage,
        service=app,
        harmless=task in HARMLESS_TASKS,
        empty_job=any(_WORKS_BY_JOBS in part for part in (service.name, service.image)),
        namesakes=(*service.namesakes, *twins, *more_records),
        others=tuple(i.name for i in reached if i.name not in names_of(service)),
    )


def _together(refusals: list[Refusal]) -> Refusal:
    """All reasons in one; the most promising one tells what to do."""
    unlock = next((r.unlock for r in refusals if r.unlock), "")
    return Refusal(reason="; ".join(dict.fromkeys(r.reason for r in refusals)), unlock=unlock)
