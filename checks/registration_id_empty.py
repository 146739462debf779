"""A Keptn service could not register when it started, and goes on without an id.

Meaning       Distributors 0.9 to 0.11 give up registering after twenty tries and go on: they send
              heartbeats for an empty id (…/registration//ping) and poll nothing, for ever, while
              the pod looks healthy.
Decided by    A client of these versions that printed no id, is not listed, and whose heartbeats are
              answered "404 page not found" (from 0.11.3 on it refuses the empty id itself); or such
              requests in the gateway's log.
What to do    Restart the pod now that the control plane answers; use a distributor from 0.12 on.
False alarms  A log that was cut off before its start is no proof: then the list must lack it, too.
              While the client's own requests fail, what makes them fail is the cause.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    attribute,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    registration_ids,
    restart,
    skipped,
)

_EMPTY = ("version_skew", "wrong_path", "not_registered")


@check(
    about=KeptnService,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    explained_by=("redirect-changes-method", "registration-over-plain-http"),
    explains=("not-registered", "api-path-wrong", "registration-gone"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    logs: tuple[PodLog, ...],
    listing: IntegrationListing | None,
    plane: ExecutionPlane | None,
    local: LocalApiAnswer | None,
) -> Finding:
    """Heartbeats without an id are answered in a way of their own."""
    behaviour = service.behaviour
    if behaviour.heartbeat != "ping" or behaviour.exits_when_registration_fails:
        return skipped(f"{service.name} ends when it cannot register.")
    listed = listing is not None and attribute(service, listing, logs).integration is not None
    told = ongoing(logs, event="heartbeat", cause=_EMPTY)
    if listed or registration_ids(logs) or not told:
        return passed(f"Nothing shows that {service.name} goes on without an id.")
    if local is not None and not 200 <= local.registration.status < 300:
        return skipped(f"What kept {service.name} from registering still does.")
    return failed(
        f"{service.name} never got an id and sends heartbeats without one: {quoted(told[0])}.",
        remedy="Restart it now that the control plane answers; use a distributor from 0.12 on.",
        command=restart(plane, service),
    )
