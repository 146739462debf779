"""An event lies open that a Keptn service subscribes to, and nobody has started on it.

Meaning       Work waits for the service and does not reach it, or is passed over by it, although
              it looks alive. Ten minutes later Keptn gives the sequence up (up to 0.8 never).
Decided by    An open .triggered event that matches a subscription of the service, older than six
              polls by the control plane's clock, open at both reads of a run, and without a
              .started of anybody. Or a round trip (--round-trip=service) that ended there.
What to do    Read the service's log of the time of the event; restart it if it tells of none.
False alarms  A task that was started is work in progress, however long it takes. The job executor
              says nothing to a task for which the project has no job: of it this is a suspicion.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from keptn_doctor.api import (
    PARTS_AWAY,
    Breaks,
    ExecutionPlane,
    Failure,
    Finding,
    Integration,
    IntegrationListing,
    KeptnService,
    Layer,
    LocalApiAnswer,
    OldEvents,
    OpenEvent,
    OpenEvents,
    PastAnswer,
    PastAnswers,
    PodLog,
    RoundTrip,
    Workload,
    attribute,
    check,
    containers,
    failed,
    freshness,
    hop_of,
    passed,
    read_all_logs,
    restart,
    skipped,
    spoken_age,
    subscriptions_of,
    suspected,
    takes,
    undecided,
)

_POLLED_S = 60.0  # a client that runs for less may not have come to it


@check(
    about=KeptnService,
    layer=Layer.DELIVERY,
    breaks="degraded",
    explained_by=(
        *PARTS_AWAY,
        "body-too-large",
        "event-lost-on-the-way",
        "event-not-accepted",
        "event-taken-by-another",
        "events-dated-ahead",
        "events-rejected-by-validation",
        "recipient-container-down",
        "resource-path-removed",
        "results-refused",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    open_events: OpenEvents,
    old: OldEvents | Failure | None,
    listing: IntegrationListing | None,
    past: PastAnswers | None,
    trip: RoundTrip | Failure | None,
    local: tuple[LocalApiAnswer, ...] | None,
    logs: tuple[PodLog, ...] | None,
    workload: Workload | None,
    taken_at: datetime,
) -> Finding:
    """The run's own event first, then those that lay there."""
    record = attribute(service, listing, logs).integration if listing else None
    alive = bool(record and listing and freshness(record, listing).state == "fresh")
    hears = any(_answered(answer) for answer in local or ()) or (alive and _one_way(service))
    if isinstance(trip, RoundTrip) and (sent := _own_event(service, plane, trip, hears=hears)):
        return sent
    waiting = _waiting(service, record, open_events)
    last = _last_answer(service, past)
    if not waiting:
        return _nothing_waits(service, past, last)
    if not isinstance(old, OldEvents):
        return undecided(
            f"Whether events that {service.name} subscribes to stay open is not known."
        )
    known = {seen.event.id: seen for seen in old.events}
    lost = [e for e in waiting if e.id in known and not known[e.id].started_by]
    if not lost and old.left_out and any(e.id not in known for e in waiting):
        return undecided(f"More old events lie open than were asked about, of {service.name} too.")
    if not lost:
        return passed(f"Every old event that {service.name} subscribes to was started or answered.")
    if _just_started(service, workload, taken_at):
        return undecided(f"{service.name} runs for less than a minute and may come to it still.")
    others = _others(record, listing, lost[0])
    if hears and _works_by_files(service):
        return _may_have_no_job(service, plane, f"{_named(lost[0])} lies open")
    works_elsewhere = last is not None and _later(last, lost[0])
    more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
    return failed(
        f"{_named(lost[0])}{more} has been open for {_age(lost[0], old)}; {service.name} "
        f"subscribes to it, and nobody has started on it{others}.",
        **_consequence(service, plane, hears=hears, works_elsewhere=works_elsewhere),
    )


class _Consequence(TypedDict):
    breaks: Breaks
    remedy: str
    command: str


def _consequence(
    service: KeptnService, plane: ExecutionPlane | None, *, hears: bool, works_elsewhere: bool
) -> _Consequence:
    """One that hears and does not act is degraded; one that was not seen to hear is cut off."""
    log = f"in the log of {service.name}"
    if works_elsewhere:
        remedy = f"See {log} why it passes over this event and takes others."
    elif hears:
        remedy = f"Its polls get through: see {log} what it makes of events."
    else:
        remedy = f"Restart {service.name}, and see in its log whether it is offered events at all."
    if hears or works_elsewhere:
        return {"breaks": "degraded", "remedy": remedy, "command": read_all_logs(plane, service)}
    return {"breaks": "disconnected", "remedy": remedy, "command": restart(plane, service)}


def _own_event(
    service: KeptnService, plane: ExecutionPlane | None, trip: RoundTrip, *, hears: bool
) -> Finding | None:
    """What the round trip says of this leg; None when it did not come so far."""
    hop = hop_of(trip, "picked-up")
    if hop is None or hop.state in ("not-reached", "unknown"):
        return None
    if hop.state == "failed" and trip.answered_by:
        return skipped(f"Somebody else started on what was sent to {service.name}.")
    if hop.state == "failed" and hears and _works_by_files(service):
        return _may_have_no_job(service, plane, "It started nothing of a round trip")
    if hop.state == "ok":
        return passed(f"{service.name} started on the round trip's task after {hop.seconds:.1f} s.")
    return failed(
        f"{trip.task} was sent to {service.name}, and nobody started on it within "
        f"{hop.seconds:.0f} s.",
        detail=hop.detail,
        **_consequence(service, plane, hears=hears, works_elsewhere=False),
    )


def _works_by_files(service: KeptnService) -> bool:
    """Whether it is silent on tasks that the project's files do not name.

    Source: keptn-contrib/job-executor-service ``pkg/eventhandler/eventhandlers.go@0.2.5``.
    """
    return any("job-executor" in name for name in (service.name, service.image))


def _may_have_no_job(service: KeptnService, plane: ExecutionPlane | None, what: str) -> Finding:
    return suspected(
        f"{what}, and {service.name}, which hears, did not start on it; it is silent where "
        "job/config.yaml of the project has no job for a task.",
        remedy=f"See in the log of {service.name} whether it found a job for the task.",
        command=read_all_logs(plane, service),
    )


def _answered(answer: LocalApiAnswer) -> bool:
    poll = answer.poll
    return poll is not None and not isinstance(poll, Failure) and poll.status == 200


def _one_way(service: KeptnService) -> bool:
    """Whether polls go out as heartbeats do: a live heartbeat then shows that it hears."""
    b = service.behaviour
    poll = (b.verifies_tls_on_poll, b.proxy_on_poll)
    heartbeat = (b.verifies_tls_on_registration, b.proxy_on_registration)
    return service.mode == "remote" and poll == heartbeat and not service.namesakes


def _waiting(
    service: KeptnService, record: Integration | None, seen: OpenEvents
) -> list[OpenEvent]:
    """Open events that the service subscribes to, and that polls had time to fetch."""
    subscriptions = subscriptions_of(service, record)
    by_nats = service.mode == "nats"
    return [
        event
        for event in seen.events
        if any(takes(s, event, wildcards=by_nats) for s in subscriptions)
        and event.at is not None
        and seen.server_time is not None
        and (seen.server_time - event.at).total_seconds() >= _POLLED_S
    ]


def _nothing_waits(
    service: KeptnService, past: PastAnswers | None, last: PastAnswer | None
) -> Finding:
    if last is None or past is None:
        return skipped(
            f"No event waits for {service.name}, and none was found that it answered: there was "
            "nothing to do, which proves nothing."
        )
    at = max(moment for moment in (last.started_at, last.finished_at) if moment)
    age = (past.server_time - at).total_seconds() if past.server_time else None
    return passed(
        f"No event waits for {service.name}; {last.source} answered one last {spoken_age(age)} ago."
    )


def _last_answer(service: KeptnService, past: PastAnswers | None) -> PastAnswer | None:
    name = service.integration_name or service.name
    answers = past.answers if past and not service.namesakes else ()
    return next((answer for answer in answers if answer.source == name), None)


def _later(last: PastAnswer, event: OpenEvent) -> bool:
    return bool(last.started_at and event.at and last.started_at > event.at)


def _just_started(service: KeptnService, workload: Workload | None, now: datetime) -> bool:
    if workload is None:
        return False
    clients = [c for c in containers(workload, service.container) if c.state == "running"]
    ages = [(now - c.started_at).total_seconds() for c in clients if c.started_at]
    return bool(ages) and max(ages) < _POLLED_S


def _named(event: OpenEvent) -> str:
    return f"{event.type} of {event.project}/{event.stage}/{event.service}"


def _age(event: OpenEvent, old: OldEvents) -> str:
    if event.at is None or old.server_time is None:
        return spoken_age(None)
    return spoken_age((old.server_time - event.at).total_seconds())


def _others(
    record: Integration | None, listing: IntegrationListing | None, event: OpenEvent
) -> str:
    """Live integrations beside it that the event is offered to: each is to start on it."""
    names = sorted(
        {
            f"{other.namespace}/{other.name}"
            for other in (listing.integrations if listing else ())
            if (record is None or other.id != record.id)
            and any(takes(s, event) for s in other.subscriptions)
            and listing is not None
            and freshness(other, listing).state == "fresh"
        }
    )
    return f", nor has {', '.join(names[:3])}, which subscribes to it too" if names else ""
