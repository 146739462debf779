"""The control plane does not take an event, though it takes the token.

Meaning       Nobody can send events: no sequence is started, and no Keptn service can tell that it
              has started or finished a task, however well it is connected.
Decided by    A round trip (--round-trip): its event was not answered with 200.
What to do    Look at api-service and at NATS, to which it hands what it takes.
False alarms  Where the operator's own token or way is refused, nothing is said of others.
"""

from __future__ import annotations

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
    TokenCheck,
    broken,
    check,
    failed,
    held,
    kubectl,
    passed,
    skipped,
    undecided,
)


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
    token: TokenCheck | None,
) -> Finding:
    """The first leg of every trip that sends something."""
    if not trips:
        return skipped("No event was sent: that has to be asked for (--round-trip).")
    hop = broken(trips, "accepted")
    if hop is None:
        taken = held(trips, "accepted")
        if taken is None:
            return undecided("No round trip came as far as sending its event.")
        return passed(f"An event was accepted after {taken.seconds:.1f} s.")
    if token is None or not token.accepted:
        return undecided(f"The operator's own event was not taken: {hop.detail or 'no reason'}.")
    why = f": {hop.detail.rstrip('.')}" if hop.detail else ""
    return failed(
        f"The control plane does not take an event{why}.",
        remedy="Look at api-service and at NATS, and restart what hangs.",
        command=kubectl(
            control_plane, "logs deployment/api-service --tail 50",
            namespace=control_plane.namespace,
        ),
        through=("api-service", *BROKERS),
    )  # fmt: skip
