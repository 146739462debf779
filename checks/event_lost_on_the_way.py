"""An event that Keptn accepted is not found again.

Meaning       The control plane takes events and loses them: its messaging or its datastore does not
              pass them on, so no task reaches an execution plane, however well it is connected.
Decided by    A round trip (--round-trip): one event is posted, and the datastore is asked for it.
              Which part it is, the state of the pods and their logs tell.
What to do    Look at the messaging (NATS) and at mongodb-datastore, then restart what hangs.
False alarms  A datastore that takes longer than the round trip waits looks the same.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    BROKERS,
    DATABASES,
    EVERYWHERE,
    PARTS_AWAY,
    Components,
    ControlPlane,
    Failure,
    Finding,
    Layer,
    RoundTrip,
    broken,
    check,
    component,
    failed,
    held,
    kubectl,
    passed,
    skipped,
    undecided,
    why_not_ready,
)

_STORE = "mongodb-datastore"


@check(
    about=ControlPlane,
    layer=Layer.DELIVERY,
    breaks="degraded",
    explained_by=PARTS_AWAY,
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    trips: Annotated[tuple[RoundTrip | Failure, ...] | None, EVERYWHERE],
    components: Components | None,
) -> Finding:
    """The event came back, or it did not."""
    if not trips:
        return skipped("No event was sent: that has to be asked for (--round-trip).")
    hop = broken(trips, "stored")
    if hop is None:
        stored = held(trips, "stored")
        if stored is None:
            return undecided("No event was accepted that could be looked for again.")
        return passed(f"An event came back from the datastore after {stored.seconds:.1f} s.")
    part, why = _which(components)
    target = f"deployment/{part}" if part == _STORE else f"statefulset/{part}"
    return failed(
        f"An event was accepted and not found in the datastore within {hop.seconds:.0f} s: {why}.",
        remedy=f"Restart {part}, and see in its log that it takes messages again.",
        command=kubectl(
            control_plane, f"rollout restart {target}", namespace=control_plane.namespace
        ),
        detail=hop.detail,
        through=(_STORE, *BROKERS, *DATABASES),
    )


def _which(components: Components | None) -> tuple[str, str]:
    """The part that most likely lost it, and what is seen of the parts."""
    if components is None:
        return _STORE, "NATS or mongodb-datastore, whose pods could not be looked at"
    broker, store = component(components, *BROKERS), component(components, _STORE)
    if broker is not None and broker.ready == 0:
        return broker.name, f"{broker.name} has no ready pod ({why_not_ready(broker)})"
    if store is not None and store.ready == 0:
        return _STORE, f"{_STORE} has no ready pod ({why_not_ready(store)})"
    return _STORE, f"NATS and {_STORE} are up, so {_STORE} does not listen to NATS or cannot store"
