"""shipyard-controller does not answer a sequence that was triggered.

Meaning       Events are stored, and nothing is made of them: no sequence begins, so no task reaches
              an execution plane.
Decided by    A round trip (--round-trip=controller): the event was stored, and no errored .finished
              followed, as one does from 0.9.1 on, or it told of a shipyard that cannot be read.
What to do    Read the log of shipyard-controller; it needs NATS and the Git upstream.
False alarms  A Git upstream that takes longer than the round trip waits looks the same.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    BROKERS,
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

_CONTROLLER = "shipyard-controller"
_SHIPYARDS = ("resource-service", "configuration-service")


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
    """The leg behind the datastore."""
    if not any(_asks_it(trip) for trip in trips or ()):
        return skipped("No sequence was triggered to try it: --round-trip=controller does that.")
    hop = broken(trips, "sequence-answered")
    if hop is None:
        answered = held(trips, "sequence-answered")
        if answered is None:
            return undecided("No round trip came as far as shipyard-controller.")
        return passed(f"shipyard-controller answered after {answered.seconds:.1f} s.")
    shipyards = component(components, *_SHIPYARDS) if components else None
    seen = ""
    if shipyards is not None and shipyards.ready == 0:
        seen = f"; {shipyards.name} has no ready pod ({why_not_ready(shipyards)})"
    return failed(
        f"A new sequence got no good answer of shipyard-controller in {hop.seconds:.0f} s{seen}.",
        remedy="Read the log of shipyard-controller, and see that it reaches NATS and Git.",
        command=kubectl(
            control_plane, f"logs deployment/{_CONTROLLER} --tail 50",
            namespace=control_plane.namespace,
        ),
        detail=hop.detail,
        through=(_CONTROLLER, *_SHIPYARDS, *BROKERS),
    )  # fmt: skip


def _asks_it(trip: RoundTrip | Failure) -> bool:
    return isinstance(trip, Failure) or trip.level == "controller"
