"""An event that Keptn accepted is not found again.

Meaning       The control plane takes events and loses them: its messaging or its datastore does not
              pass them on, so no task reaches an execution plane, however well it is connected.
Decided by    A round trip (--round-trip): one event of a kind that nobody acts on is posted, and
              the datastore is asked for it.
What to do    Look at the messaging (NATS) and at mongodb-datastore, then restart what hangs.
False alarms  A datastore that takes more than 15 s to store an event looks the same.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    Failure,
    Finding,
    Layer,
    RoundTrip,
    check,
    failed,
    kubectl,
    passed,
    skipped,
    undecided,
)


@check(
    about=ControlPlane,
    layer=Layer.DELIVERY,
    breaks="degraded",
    explained_by=("messaging-down", "message-store-full", "database-down", "database-disk-full"),
    since="0.1",
)
def judge(control_plane: ControlPlane, *, trip: RoundTrip | Failure | None) -> Finding:
    """The event came back, or it did not."""
    if trip is None:
        return skipped("No event was sent: that has to be asked for (--round-trip).")
    if isinstance(trip, Failure):
        return undecided(f"The event could not be sent: {trip.detail or trip.code}.")
    if trip.came_back:
        return passed(f"An event came back from the datastore after {trip.seconds:.1f} s.")
    waited = trip.hops[-1].seconds
    return failed(
        f"An event was accepted and not found in the datastore within {waited:.0f} s.",
        remedy="Look at NATS and at mongodb-datastore, and restart what hangs.",
        command=kubectl(control_plane, "get pods -o wide", namespace=control_plane.namespace),
    )
