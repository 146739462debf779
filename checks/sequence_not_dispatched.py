"""A triggered sequence is never begun, though nothing is in front of it.

Meaning       The sequence dispatcher of shipyard-controller stands still: sequences are taken and
              their first task is never sent, so no Keptn service gets work.
Decided by    A sequence that has been triggered for over two minutes (the dispatcher looks every
              ten seconds) in a project and service where none is under way. Or a round trip
              (--round-trip=service) that ended before its task was sent.
What to do    Restart shipyard-controller; its log tells whether the dispatcher runs.
False alarms  A sequence that waits behind another is in order. Up to 0.8 there is no dispatcher.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from keptn_doctor.api import (
    BROKERS,
    EVERYWHERE,
    PARTS_AWAY,
    ControlPlane,
    Failure,
    Finding,
    Layer,
    RoundTrip,
    Sequence,
    Sequences,
    broken,
    check,
    failed,
    held,
    kubectl,
    passed,
    spoken_age,
    undecided,
)

_STUCK_S = 120.0
_NOT_BEGUN = ("triggered", "waiting")
_IN_FRONT = ("started", "paused", "suspended")
_CONTROLLER = "shipyard-controller"


@check(
    about=ControlPlane,
    layer=Layer.DELIVERY,
    breaks="degraded",
    explained_by=(*PARTS_AWAY, "controller-does-not-answer"),
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    sequences: Sequences | Failure | None,
    trips: Annotated[tuple[RoundTrip | Failure, ...] | None, EVERYWHERE],
    taken_at: datetime,
) -> Finding:
    """The run's own sequence first, then those that lay there."""
    hop = broken(trips, "task-sent")
    if hop:
        how = f"no task of it was sent within {hop.seconds:.0f} s"
        return _never_begun(control_plane, "The round trip's sequence", how, detail=hop.detail)
    if held(trips, "task-sent"):
        return passed("The task of a sequence that was triggered a moment ago was sent.")
    if not isinstance(sequences, Sequences):
        return undecided("Which sequences wait to be begun was not seen.")
    now = sequences.server_time or taken_at
    stuck = _stuck(sequences, now)
    if not stuck:
        return passed("No triggered sequence waits to be begun without a reason.")
    first = min(stuck, key=lambda s: (-_age(s, now), s.context))
    more = f", and {len(stuck) - 1} more" if len(stuck) > 1 else ""
    how = f"{spoken_age(_age(first, now))} ago, with nothing in front of it{more}"
    what = f"Sequence {first.name} of {first.project}/{first.service}"
    return _never_begun(control_plane, what, how)


def _never_begun(control_plane: ControlPlane, what: str, how: str, *, detail: str = "") -> Finding:
    return failed(
        f"{what} was triggered and never begun: {how}.",
        remedy="Restart shipyard-controller, whose dispatcher stands still.",
        command=kubectl(
            control_plane, f"rollout restart deployment/{_CONTROLLER}",
            namespace=control_plane.namespace,
        ),
        detail=detail,
        through=(_CONTROLLER, *BROKERS),
    )  # fmt: skip


def _stuck(listed: Sequences, now: datetime) -> list[Sequence]:
    busy = {(s.project, s.service) for s in listed.sequences if s.state in _IN_FRONT}
    return [
        s
        for s in listed.sequences
        if s.state in _NOT_BEGUN and (s.project, s.service) not in busy and _age(s, now) > _STUCK_S
    ]


def _age(sequence: Sequence, now: datetime) -> float:
    return (now - sequence.latest_at).total_seconds() if sequence.latest_at else 0.0
