"""Which leg of a round trip held and which did not, over all trips of a run."""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import Hop, Leg, RoundTrip

# The checks that tell why a part of the control plane which events need is away.
PARTS_AWAY = (
    "messaging-down", "message-store-full", "messaging-not-reconnected", "messaging-renamed",
    "component-scaled-to-zero", "component-not-ready", "component-keeps-restarting",
    "component-out-of-memory", "component-image-not-pulled", "component-unschedulable",
    "component-not-configured", "component-pods-forbidden", "control-plane-component-missing",
    "database-down", "database-disk-full", "database-credentials-drifted", "claim-unbound",
    "backend-down",
)  # fmt: skip


def hop_of(trip: RoundTrip, leg: Leg) -> Hop | None:
    """One leg of a trip, None when its level does not have it."""
    return next((hop for hop in trip.hops if hop.leg == leg), None)


def broken(trips: Iterable[RoundTrip | Failure] | None, leg: Leg) -> Hop | None:
    """The leg as it broke in the first trip that ended there."""
    ends = [trip.broken_at for trip in trips or () if isinstance(trip, RoundTrip)]
    return next((hop for hop in ends if hop is not None and hop.leg == leg), None)


def held(trips: Iterable[RoundTrip | Failure] | None, leg: Leg) -> Hop | None:
    """The leg as it held in the first trip that came past it."""
    hops = [hop_of(trip, leg) for trip in trips or () if isinstance(trip, RoundTrip)]
    return next((hop for hop in hops if hop is not None and hop.state == "ok"), None)
