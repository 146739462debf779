"""Tasks are dated in the future, and are hidden from those who poll until that time has come.

Meaning       From 0.17 on shipyard-controller leaves events of the future out of what it offers.
              With a clock of the control plane that is ahead, every task waits for as long before
              any execution plane can fetch it.
Decided by    A sequence that waits for a task whose time is ahead of the gateway's clock. Or a
              round trip (--round-trip=service) whose task was sent and is not shown.
What to do    Set the clocks of the control plane's nodes (NTP, chrony), then look again.
False alarms  Some seconds are normal between two nodes and are not told. Clocks of execution planes
              and of your own machine do not matter here.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from keptn_doctor.api import (
    EVERYWHERE,
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
    kubectl,
    passed,
    skipped,
    spoken_age,
    undecided,
)

_SHOWS_ALL = re.compile(r"0\.(?:[0-9]|1[0-6])\.")
_TASK = re.compile(r"sh\.keptn\.event\.[^.]+\.triggered$")
_NOTED_S = 10.0
_BREAKS_S = 60.0


@check(about=ControlPlane, layer=Layer.DELIVERY, breaks="degraded", since="0.1")
def judge(
    control_plane: ControlPlane,
    *,
    sequences: Sequences | Failure | None,
    trips: Annotated[tuple[RoundTrip | Failure, ...] | None, EVERYWHERE],
) -> Finding:
    """The run's own task, then the one that is dated the furthest ahead."""
    if _SHOWS_ALL.match(control_plane.version):
        return skipped(f"Control plane {control_plane.version} offers events whatever their time.")
    hidden = broken(_hidden(trips), "picked-up")
    if hidden:
        return _told(
            control_plane,
            "A task that was sent a moment ago is not shown to those who poll: its time is ahead "
            "of the clock that decides.",
        )
    if not isinstance(sequences, Sequences):
        return undecided("No sequence was seen whose task's time could be compared.")
    now = sequences.server_time
    if now is None:
        return undecided("The control plane's clock was not seen.")
    tasks = [s for s in sequences.sequences if _TASK.match(s.latest_event)]
    if not tasks:
        return skipped("No sequence waits for a task, whose time could be compared.")
    last = max(tasks, key=lambda s: (_ahead(s, now), s.context))
    if _ahead(last, now) < _NOTED_S:
        return passed("No task is dated ahead of the gateway's clock.")
    return _told(
        control_plane,
        f"{last.latest_event} of sequence {last.name} is dated {spoken_age(_ahead(last, now))} "
        "ahead of the gateway's clock: no poll is offered it before.",
        breaks=_ahead(last, now) >= _BREAKS_S,
    )


def _told(control_plane: ControlPlane, summary: str, *, breaks: bool = True) -> Finding:
    return failed(
        summary,
        remedy="Set the clocks of the control plane's nodes, that of shipyard-controller first.",
        command=kubectl(
            control_plane, "exec deployment/shipyard-controller -- date -u",
            namespace=control_plane.namespace,
        ),
        severity="error" if breaks else "warning",
        breaks="degraded" if breaks else "nothing",
        parts=("shipyard-controller",),
    )  # fmt: skip


def _hidden(trips: tuple[RoundTrip | Failure, ...] | None) -> list[RoundTrip]:
    return [t for t in trips or () if isinstance(t, RoundTrip) and t.offered is False]


def _ahead(sequence: Sequence, now: datetime) -> float:
    return (sequence.latest_at - now).total_seconds() if sequence.latest_at else 0.0
