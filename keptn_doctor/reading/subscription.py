"""What a Keptn service subscribes to, and which events that covers, as its client decides it.

Sources: ``distributor/pkg/lib/events/poller.go@0.8.7``, ``distributor/pkg/poller/poller.go`` and
``utils.go@0.16.2`` (EventMatcher): an empty list matches everything, else names are compared
exactly and are not trimmed.
"""

from __future__ import annotations

from keptn_doctor.model.keptn_facts import Integration, OpenEvent, Subscription
from keptn_doctor.model.topology import KeptnService


def subscriptions_of(service: KeptnService, record: Integration | None) -> tuple[Subscription, ...]:
    """Those in effect: of the variables before 0.9, else of the registration.

    In NATS mode a client without a registration goes by its variables
    (``distributor/pkg/receiver/receiver.go@0.16.2``).
    """
    by_variables = service.behaviour.filters_from_environment
    if by_variables or (record is None and service.mode == "nats"):
        return from_variables(service)
    return record.subscriptions if record else ()


def from_variables(service: KeptnService) -> tuple[Subscription, ...]:
    """What PUBSUB_TOPIC and the three filters say."""
    return tuple(
        Subscription(
            event=topic,
            projects=tuple(filter(None, service.project_filter)),
            stages=tuple(filter(None, service.stage_filter)),
            services=tuple(filter(None, service.service_filter)),
        )
        for topic in service.topics
    )


def takes(subscription: Subscription, event: OpenEvent, *, wildcards: bool = False) -> bool:
    """Whether a client with this subscription acts on the event.

    ``wildcards`` is for NATS, whose subjects may hold ``*`` and end in ``>``; polls know none.
    """
    same = subscription.event == event.type
    if not same and not (wildcards and _covers(subscription.event, event.type)):
        return False
    wanted = (
        (subscription.projects, event.project),
        (subscription.stages, event.stage),
        (subscription.services, event.service),
    )
    return all(not names or name in names for names, name in wanted)


def _covers(pattern: str, subject: str) -> bool:
    """Whether a NATS subject matches: ``*`` is one part, ``>`` at the end is all that follow."""
    wanted, parts = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted = wanted[:-1]
        parts, rest = parts[: len(wanted)], parts[len(wanted) :]
        if not rest:
            return False
    return len(wanted) == len(parts) and all(
        w in ("*", p) for w, p in zip(wanted, parts, strict=True)
    )
