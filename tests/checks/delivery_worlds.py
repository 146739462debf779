"""Worlds of events under way, which the tests of delivery share."""

from __future__ import annotations

from keptn_doctor.api import (
    Hop,
    OldEvent,
    OldEvents,
    OpenEvent,
    OpenEvents,
    PastAnswer,
    PastAnswers,
    RoundTrip,
    Sequence,
    Sequences,
    TokenCheck,
)
from keptn_doctor.testing import NOW, ago, keptn_service, seen, world

CONTROL_PLANE = "control-plane/keptn"
SERVICE = keptn_service()
TASK = "sh.keptn.event.deployment.triggered"
TOKEN_WORKS = seen(CONTROL_PLANE, TokenCheck(accepted=True, status=200))
_LEGS = {
    "datastore": ("accepted", "stored"),
    "controller": ("accepted", "stored", "sequence-answered"),
    "service": (
        "project-made", "accepted", "stored", "task-sent", "picked-up", "finished",
        "project-removed",
    ),
}  # fmt: skip


def trip(level="datastore", broken="", detail="", **fields):
    """A round trip of 0.5 s a leg, broken at one leg after 15 s, with nothing reached behind it."""
    hops, state = [], "ok"
    for leg in _LEGS[level]:
        if leg == broken:
            hops.append(Hop(leg=leg, state="failed", seconds=15.0, detail=detail))
            state = "not-reached"
        else:
            hops.append(Hop(leg=leg, state=state, seconds=0.5 if state == "ok" else 0.0))
    usual = {"task": TASK} if level == "service" else {}
    return RoundTrip(level=level, hops=tuple(hops), context="c", **{**usual, **fields})


def travelled(*args, subject=CONTROL_PLANE, **fields):
    """A world with one round trip, and a token that works."""
    return world(SERVICE, TOKEN_WORKS, seen(subject, trip(*args, **fields)))


def event(key="e1", age=600.0, **fields):
    usual = {"type": TASK, "project": "sockshop", "stage": "dev", "service": "carts"}
    return OpenEvent(**{"id": key, "at": ago(age), "context": f"c-{key}", **usual, **fields})


def open_events(*events):
    kinds = tuple(sorted({e.type for e in events})) or (TASK,)
    return seen(CONTROL_PLANE, OpenEvents(asked_types=kinds, events=events, server_time=NOW))


def old_events(*pairs, **fields):
    """Pairs of an event and the sources that started on it."""
    old = tuple(OldEvent(event=event, started_by=by) for event, by in pairs)
    return seen(CONTROL_PLANE, OldEvents(events=old, server_time=NOW, **fields))


def answered(age=300.0, source="helm-service"):
    last = PastAnswer(
        source=source, started=TASK.replace("triggered", "started"), started_at=ago(age + 20),
        finished=TASK.replace("triggered", "finished"), finished_at=ago(age),
    )  # fmt: skip
    return seen(CONTROL_PLANE, PastAnswers(answers=(last,), server_time=NOW))


def sequence(state="started", age=600.0, **fields):
    usual = {
        "project": "sockshop", "name": "delivery", "service": "carts", "stage": "dev",
        "context": f"c{age}", "latest_event": TASK,
    }  # fmt: skip
    return Sequence(**{**usual, "state": state, "latest_at": ago(age), **fields})


def under_way(*sequences):
    return seen(CONTROL_PLANE, Sequences(sequences=sequences, server_time=NOW))
