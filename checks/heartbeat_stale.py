"""The registration of a Keptn service is no longer alive.

Meaning       The record is still listed (for up to 48 hours), but no heartbeat has come for
              minutes: the client is cut off, or its heartbeats are refused.
Decided by    The time of the last heartbeat, by the control plane's own clock.
What to do    Look at the rungs below; when they are fine, at the control plane's database, which
              every heartbeat writes to.
False alarms  A record of the same name in another plane would be alive; then the heartbeat cannot
              be told to be this service's.
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
    freshness,
    passed,
    read_log,
    skipped,
    spoken_age,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    explained_by=(
        "registration-gone",
        "registration-disabled",
        "backend-down",
        "database-down",
        "control-plane-component-missing",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    listing: IntegrationListing,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """Age by the server's clock, or two reads of the list that do not differ."""
    record = attribute(service, listing, logs)
    if record.integration is None:
        return skipped(f"{service.name} has no registration whose heartbeat could be old.")
    live = freshness(record.integration, listing)
    age = spoken_age(live.age_s)
    if live.state == "unknown":
        return undecided(
            f"The registration of {service.name} carries no time of its last heartbeat."
        )
    if live.state == "stale":
        return failed(
            f"The last heartbeat of {service.name} came {age} ago.",
            remedy="See why heartbeats do not arrive; the client's log tells.",
            command=read_log(plane, service),
        )
    if record.strength == "shared":
        return undecided(
            f"A heartbeat came {age} ago, but {', '.join(record.sharers)} uses the same record."
        )
    return passed(f"The last heartbeat of {service.name} came {age} ago.")
