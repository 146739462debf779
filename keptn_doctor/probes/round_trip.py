"""Sends one event that nobody acts on and looks for it again: only in a run started as active.

The event has no project and a kind that Keptn stores and otherwise ignores, so it proves gateway,
token, api-service, NATS, mongodb-datastore and MongoDB, and leaves one document behind. It is the
only event that this program can make; ``sh.keptn.event.project.delete.finished``, which would wipe
a project's history, cannot be asked for. Sources: ``api/handlers/event.go``,
``mongodb-datastore/handlers/event.go@1.4.5``.
"""

from __future__ import annotations

import asyncio
import time
import uuid

import msgspec

from keptn_doctor.model.keptn_facts import Hop, RoundTrip
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_api import KeptnApi, decode

EVENT_TYPE = "sh.keptn.event.keptn-doctor.invalidated"

_SOURCE = "keptn-doctor"
_STORED = "/mongodb-datastore/event"


class _Sent(msgspec.Struct, frozen=True):
    keptnContext: str | None = None  # noqa: N815 - Keptn's own spelling


class _Found(msgspec.Struct, frozen=True):
    events: tuple[msgspec.Raw, ...] | None = None


async def round_trip(api: KeptnApi, *, limit_s: float = 15.0, pause_s: float = 1.0) -> RoundTrip:
    """Post the event, then ask the datastore for its context every ``pause_s`` up to ``limit_s``.

    Raises PermissionError when the run is not active, and WorldFault when the event is not taken.
    """
    context = str(uuid.uuid4())
    event = {
        "type": EVENT_TYPE,
        "source": _SOURCE,
        "specversion": "1.0",
        "contenttype": "application/json",
        "shkeptncontext": context,
        "data": {"keptn-doctor": "round trip"},
    }
    began = time.perf_counter()
    sent = decode(await api.post_event(msgspec.json.encode(event)), _Sent)
    accepted = time.perf_counter()
    context = sent.keptnContext or context
    found = False
    while not found and time.perf_counter() - accepted < limit_s:
        found = await _stored(api, context)
        if not found:
            await asyncio.sleep(pause_s)
    hops = (
        Hop(leg="accepted", state="ok", seconds=round(accepted - began, 3)),
        Hop(
            leg="stored",
            state="ok" if found else "failed",
            seconds=round(time.perf_counter() - accepted, 3),
        ),
    )
    return RoundTrip(hops=hops, context=context, left_behind=("one event without a project",))


async def _stored(api: KeptnApi, context: str) -> bool:
    try:
        page, _ = await api.get_as(_STORED, _Found, params={"keptnContext": context}, fresh=True)
    except WorldFault:
        return False  # the datastore may be the one that is slow; the limit decides
    return bool(page.events)
