"""Subscriptions of a Keptn service stayed behind at an old registration.

Meaning       The service has a new record: after an upgrade, or (0.9 to 0.15) because its pod moved
              to another node. What had been set up in the Bridge is still at the old record, whose
              heartbeat has stopped, so those events are taken by nobody.
Decided by    A second record of the same name and namespace without a live heartbeat, with
              subscriptions that the live one lacks.
What to do    Make those subscriptions again at the live registration, then delete the old record.
False alarms  An old record whose subscriptions the live one has, too, is a harmless leftover.
"""

from __future__ import annotations

from shlex import quote

from keptn_doctor.api import (
    ControlPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    PodLog,
    Subscription,
    attribute,
    check,
    failed,
    freshness,
    passed,
    skipped,
    spoken_age,
)


@check(about=KeptnService, layer=Layer.SUBSCRIPTION, breaks="degraded", since="0.1")
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    listing: IntegrationListing,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """What the dead double has and the live record has not."""
    record = attribute(service, listing, logs).integration
    if record is None or freshness(record, listing).state == "stale":
        return skipped(f"{service.name} has no live registration.")
    doubles = [
        other
        for other in listing.by_name.get(record.name, ())
        if other.id != record.id
        and other.namespace == record.namespace
        and freshness(other, listing).state == "stale"
    ]
    for old in doubles:
        kept = record.subscriptions
        lost = [s for s in old.subscriptions if not any(_covers(now, s) for now in kept)]
        if lost:
            age = spoken_age(freshness(old, listing).age_s)
            api = control_plane.api_url or "<endpoint>"
            return failed(
                f"{service.name} lost the subscription {_spoken(lost[0])}: it stayed at the "
                f"registration {old.id[:12]}, last alive {age} ago.",
                remedy="Make it again at the live registration, then delete the old record.",
                command='curl -X DELETE -H "x-token: $KEPTN_API_TOKEN" '
                + quote(f"{api}/controlPlane/v1/uniform/registration/{old.id}"),
            )
    return passed(f"No older registration of {service.name} has subscriptions that it lacks.")


def _covers(now: Subscription, old: Subscription) -> bool:
    """Whether every event that the old subscription took is taken by the present one."""
    pairs = (
        (now.projects, old.projects),
        (now.stages, old.stages),
        (now.services, old.services),
    )
    wide = all(not wider or (narrow and set(narrow) <= set(wider)) for wider, narrow in pairs)
    return now.event == old.event and wide


def _spoken(subscription: Subscription) -> str:
    names = (*subscription.projects, *subscription.stages, *subscription.services)
    return subscription.event + (f" ({', '.join(names)})" if names else "")
