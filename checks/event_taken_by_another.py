"""Another consumer starts on the task that was sent to a Keptn service, which does not.

Meaning       The work is done, but not where it is meant to be: the sequence goes on with the
              answer of the other one, and once that has finished the service is offered nothing.
Decided by    A round trip (--round-trip=service): .started came, from other sources alone.
What to do    Take the subscription away from the other one, or give both filters that exclude each
              other; then see why the service does not answer.
False alarms  Several consumers of one task are allowed; this tells only that the service itself did
              not start on it.
"""

from __future__ import annotations

from keptn_doctor.api import (
    PARTS_AWAY,
    ExecutionPlane,
    Failure,
    Finding,
    KeptnService,
    Layer,
    RoundTrip,
    check,
    failed,
    hop_of,
    passed,
    read_all_logs,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.DELIVERY,
    breaks="degraded",
    explained_by=(
        *PARTS_AWAY,
        "events-rejected-by-validation",
        "recipient-container-down",
        "results-refused",
    ),
    since="0.1",
)
def judge(
    service: KeptnService, *, plane: ExecutionPlane | None, trip: RoundTrip | Failure | None
) -> Finding:
    """Who answered, where the service did not."""
    hop = hop_of(trip, "picked-up") if isinstance(trip, RoundTrip) else None
    if hop is None or not isinstance(trip, RoundTrip):
        return skipped(f"No task was sent to {service.name} for a trial.")
    if hop.state == "ok":
        return passed(f"{service.name} itself started on the task that was sent to it.")
    if hop.state != "failed":
        return undecided(f"Who started on the task of {service.name} is not certain.")
    if not trip.answered_by:
        return passed(f"Nobody else took the task that was sent to {service.name}.")
    others = ", ".join(trip.answered_by)
    return failed(
        f"{trip.task} was sent to {service.name}, and {others} started on it instead.",
        remedy=f"Give {others} and {service.name} filters that exclude each other.",
        command=read_all_logs(plane, service),
        detail=hop.detail,
    )
