"""NATS between Keptn's components: who gets an event, by version and subject.

| | mongodb-datastore | shipyard-controller |
|---|---|---|
| up to 0.13.6 | ``sh.keptn.>``, by a distributor | ``sh.keptn.>``, by a distributor |
| 0.14.0 to 0.15.1 | the same | ``sh.keptn.>``, by JetStream |
| 0.16.0 and later | ``sh.keptn.event.>`` | the same |

Publishing is without acknowledgement: that NATS took an event says nothing of who got it.
Source: ``mongodb-datastore/restapi/configure_mongodb_datastore.go @1.4.5``,
``shipyard-controller/internal/nats/connection.go @1.4.5``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from keptn_doctor.lab.keptn.events import Event

if TYPE_CHECKING:
    from keptn_doctor.lab.keptn.state import KeptnState

_ALL = "sh.keptn."
_EVENTS = "sh.keptn.event."


def publish(state: KeptnState, event: Event) -> bool:
    """Hand an event to everybody who is subscribed; False when NATS is down."""
    if not state.nats_up():
        return False
    if _stored(state, event):
        delay = state.settings.delivery.datastore_delay_s
        if delay:
            state.timers.append(
                asyncio.get_running_loop().call_later(delay, state.documents.store, event)
            )
        else:
            state.documents.store(event)
    if _controlled(state, event):
        state.controller.handle(event)
    for listener in state.listeners:
        listener(event)
    return True


def _stored(state: KeptnState, event: Event) -> bool:
    subject = _EVENTS if state.version >= (0, 16, 0) else _ALL
    return (
        event.type.startswith(subject)
        and _up(state, "mongodb-datastore")
        and state.store_error(writing=True) is None
        and not state.settings.store.unmapped_events_lost
    )


def _controlled(state: KeptnState, event: Event) -> bool:
    full = state.settings.store.nats == "full" and state.version >= (0, 14, 0)
    return (
        event.type.startswith(_ALL)
        and not full
        and _up(state, "shipyard-controller")
        and state.store_error(writing=True) is None
        and state.settings.delivery.controller == "subscribed"
    )


def _up(state: KeptnState, component: str) -> bool:
    return all(b.component != component or b.state == "up" for b in state.settings.backends)
