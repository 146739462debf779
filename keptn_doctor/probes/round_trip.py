"""Level datastore: one event that nobody acts on goes out and is looked for again.

The event has no project and a kind that Keptn stores and otherwise ignores, so it proves gateway,
token, api-service, NATS, mongodb-datastore and MongoDB, and leaves one document behind, which
Keptn never deletes. Sources: ``api/handlers/event.go``, ``mongodb-datastore/handlers/event.go
@1.4.5``.
"""

from __future__ import annotations

import uuid

from keptn_doctor.model.keptn_facts import RoundTrip
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.round_trip_legs import STORED_S, BrokenLegError, Legs, Mailbox, send
from keptn_doctor.probes.round_trip_writes import harmless_event

NOT_STORED = (
    "it was accepted, and {0:.0f} s later the datastore does not have it: NATS did not deliver it, "
    "or mongodb-datastore did not take it"
)
LEFT_BEHIND = "one event without a project, in the datastore for good"


async def datastore_trip(
    api: KeptnApi, *, limit_s: float = STORED_S, pause_s: float = 1.0
) -> RoundTrip:
    """Post the event, then ask for its context every ``pause_s`` up to ``limit_s`` seconds.

    Raises PermissionError when the run is not active.
    """
    legs = Legs("accepted", "stored")
    context = str(uuid.uuid4())
    left: tuple[str, ...] = ()
    try:
        context = await send(api, harmless_event(context), context)
        legs.passed()
        left = (LEFT_BEHIND,)
        mailbox = Mailbox(api, context, pause_s=pause_s)
        if not await mailbox.until(lambda events: events or None, limit_s=limit_s):
            raise mailbox.or_refused(NOT_STORED.format(limit_s))
        legs.passed()
    except BrokenLegError as broken:
        legs.broke(broken)
        if broken.perhaps_taken:
            left = (f"perhaps {LEFT_BEHIND}",)
    return RoundTrip(hops=legs.hops(), context=context, left_behind=left)
