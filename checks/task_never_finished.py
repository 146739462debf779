"""A Keptn service starts on a task and never says that it has finished it.

Meaning       The service gets its events, and the control plane waits for its answer for ever: the
              sequence hangs, and so do those behind it.
Decided by    A round trip (--round-trip=service): .started came, and no .finished.
What to do    Read the service's log of that time: it may have died, hang, or have had its result
              refused.
False alarms  A task that takes longer than the round trip waits looks the same: give it more time
              with --round-trip-timeout.
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
        "body-too-large",
        "container-out-of-memory",
        "events-rejected-by-validation",
        "results-refused",
        "service-crash-looping",
    ),
    since="0.1",
)
def judge(
    service: KeptnService, *, plane: ExecutionPlane | None, trip: RoundTrip | Failure | None
) -> Finding:
    """The last leg that is the service's own."""
    hop = hop_of(trip, "finished") if isinstance(trip, RoundTrip) else None
    if hop is None:
        return skipped(f"No task was sent to {service.name} for a trial.")
    if hop.state == "ok":
        return passed(f"{service.name} finished the round trip's task after {hop.seconds:.1f} s.")
    if hop.state != "failed":
        return undecided(f"The round trip did not come as far as an answer of {service.name}.")
    return failed(
        f"{service.name} started on a task and did not finish it within {hop.seconds:.0f} s.",
        remedy="Read its log of that time: it died, hangs, or had its result refused.",
        command=read_all_logs(plane, service),
        detail=hop.detail,
    )
