"""A sequence has waited for a .finished for more than an hour.

Meaning       A Keptn service sent .started and died, or its .finished got lost. The sequence hangs,
              and so does everything queued behind it in the same stage: new sequences do not start,
              although every service is connected now.
Decided by    A sequence under way whose last event is a .started of long ago.
What to do    Abort it when nothing works on it any more; then see why the service ended (memory, a
              restart).
False alarms  Long tests and manual steps take their time; without another sequence that waits
              behind it this is a note only. It says nothing about a connection.
"""

from __future__ import annotations

from datetime import datetime
from shlex import quote

from keptn_doctor.api import (
    ControlPlane,
    Finding,
    Layer,
    Sequence,
    Sequences,
    check,
    failed,
    passed,
    spoken_age,
)

_LONG_S = 3600


@check(about=ControlPlane, layer=Layer.DELIVERY, severity="warning", proven_by="state", since="0.1")
def judge(control_plane: ControlPlane, *, sequences: Sequences, taken_at: datetime) -> Finding:
    """Started long ago, and who waits behind."""
    now = sequences.server_time or taken_at
    stuck = [s for s in sequences.sequences if s.state == "started" and _is_stuck(s, now)]
    if not stuck:
        return passed("No sequence has waited long for a .finished.")
    behind = [
        other
        for other in sequences.sequences
        if other.state == "waiting"
        and any((s.project, s.service) == (other.project, other.service) for s in stuck)
    ]
    first = min(stuck, key=lambda s: (_age(s, now), s.context))
    queue = f"; {len(behind)} sequences wait behind it" if behind else ""
    api = control_plane.api_url or "<endpoint>"
    return failed(
        f"Sequence {first.name} of project {first.project} has waited in stage {first.stage} since "
        f"{first.latest_event}, {spoken_age(_age(first, now))} ago{queue}.",
        remedy="Abort it when nothing works on it any more.",
        command='curl -X POST -H "x-token: $KEPTN_API_TOKEN" -d \'{"state":"abort"}\' '
        + quote(f"{api}/controlPlane/v1/sequence/{first.project}/{first.context}/control"),
        severity="warning" if behind else "info",
    )


def _is_stuck(sequence: Sequence, now: datetime) -> bool:
    return sequence.latest_event.endswith(".started") and _age(sequence, now) > _LONG_S


def _age(sequence: Sequence, now: datetime) -> float:
    return (now - sequence.latest_at).total_seconds() if sequence.latest_at else 0.0
