"""Keptn gave a sequence up because nobody started on its task.

Meaning       From 0.9 on a task that nobody starts on within ten minutes ends its sequence as timed
              out. Whoever subscribes to it was away then, or passed it over.
Decided by    Sequences in the state timedOut of the last day, and the task that they stopped at.
What to do    See whether somebody subscribes to the task, and whether it was connected at the time.
False alarms  It tells of the past: who was away then may be connected now. So it breaks nothing.
"""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.api import (
    ControlPlane,
    Finding,
    IntegrationListing,
    Layer,
    Sequence,
    Sequences,
    check,
    failed,
    freshness,
    passed,
    spoken_age,
)

_LATELY_S = 86_400.0


@check(about=ControlPlane, layer=Layer.DELIVERY, severity="warning", proven_by="state", since="0.1")
def judge(
    *, sequences: Sequences, listing: IntegrationListing | None, taken_at: datetime
) -> Finding:
    """The latest of them, with who could have taken it."""
    now = sequences.server_time or taken_at
    ended = [s for s in sequences.sequences if s.state == "timedOut" and _age(s, now) < _LATELY_S]
    if not ended:
        return passed("No sequence has timed out within the last day.")
    last = min(ended, key=lambda s: (_age(s, now), s.context))
    earlier = f"; {len(ended) - 1} more of the last day did" if len(ended) > 1 else ""
    return failed(
        f"Sequence {last.name} of {last.project}/{last.service} timed out in stage {last.stage} at "
        f"{last.latest_event}, {spoken_age(_age(last, now))} ago{earlier}: {_who(last, listing)}.",
        remedy="See whether those who subscribe to the task were connected at that time.",
        severity="warning",
    )


def _who(sequence: Sequence, listing: IntegrationListing | None) -> str:
    if listing is None:
        return "who subscribes to it is not known"
    names = sorted(
        {
            f"{one.namespace}/{one.name}"
            for one in listing.integrations
            if any(s.event == sequence.latest_event for s in one.subscriptions)
            and freshness(one, listing).state != "stale"
        }
    )
    if not names:
        return "nobody who is alive subscribes to it"
    return f"{', '.join(names[:3])} subscribe{'s' * (len(names) == 1)} to it now"


def _age(sequence: Sequence, now: datetime) -> float:
    return (now - sequence.latest_at).total_seconds() if sequence.latest_at else 0.0
