"""A registered Keptn service has no subscription.

Meaning       It is connected and alive, and no event will ever come: since 0.9 a client polls what
              its registration subscribes to, and this one subscribes to nothing.
Decided by    The subscriptions in its record.
What to do    Add one in the Bridge, or set PUBSUB_TOPIC, delete the registration and restart: the
              variable is read only when a registration is first made.
False alarms  Clients before 0.9 poll what PUBSUB_TOPIC lists, whatever the record says.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    PodLog,
    attribute,
    check,
    failed,
    passed,
    set_variable,
    skipped,
)


@check(about=KeptnService, layer=Layer.SUBSCRIPTION, breaks="degraded", since="0.1")
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    listing: IntegrationListing,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """The record's subscriptions count; the variable counted once, when it was made."""
    if service.behaviour.polls_without_registration:
        return skipped(f"{service.name} polls what PUBSUB_TOPIC lists.")
    record = attribute(service, listing, logs).integration
    if record is None:
        return skipped(f"{service.name} has no registration.")
    if record.subscriptions:
        return passed(f"{service.name} has {len(record.subscriptions)} subscriptions.")
    wanted = f" although PUBSUB_TOPIC is {','.join(service.topics)}" if service.topics else ""
    topic = "sh.keptn.event.<task>.triggered"
    return failed(
        f"{service.name} is registered without a subscription{wanted}, so no event comes.",
        remedy="Add a subscription in the Bridge, or register anew with PUBSUB_TOPIC set.",
        command=set_variable(plane, service, f"PUBSUB_TOPIC={','.join(service.topics) or topic}"),
    )
