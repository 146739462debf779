"""The volume of the control plane's database is full.

Meaning       MongoDB cannot write any more. Heartbeats are writes, so they fail with 500 and all
              registrations grow old together, while what is stored can still be read.
Decided by    "No space left on device" in the logs of the database or of shipyard-controller, or in
              the answers that execution planes get.
What to do    Enlarge the claim, or remove old events; then restart the database.
False alarms  A full disk of an execution plane's pod does not count.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    DATABASES,
    EVERYWHERE,
    Components,
    ControlPlane,
    Finding,
    Layer,
    PodLog,
    check,
    component,
    failed,
    kubectl,
    ongoing,
    passed,
    quoted,
    undecided,
)

_WRITERS = (*DATABASES, "shipyard-controller", "mongodb-datastore")


@check(
    about=ControlPlane,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    explains=(
        "database-down",
        "backend-down",
        "component-not-ready",
        "service-crash-looping",
        "heartbeat-stale",
        "not-registered",
    ),
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    components: Components | None,
    own: tuple[PodLog, ...] | None,
    logs: Annotated[tuple[PodLog, ...] | None, EVERYWHERE],
) -> Finding:
    """Its own words, else what it answered to others."""
    writers = tuple(log for log in own or () if log.container in _WRITERS)
    told = ongoing(writers, event="storage_full") or ongoing(logs, cause="storage_full")
    told = tuple(m for m in told if m.cause or m in ongoing(writers))
    if told:
        database = component(components, *DATABASES) if components else None
        claim = (
            "mongodata" if database is not None and database.name == "mongodb" else "keptn-mongo"
        )
        return failed(
            f"The database has no space left: {quoted(told[0])}.",
            remedy="Enlarge its volume claim, or remove old events, then restart the database.",
            command=kubectl(
                control_plane, f"describe pvc {claim}", namespace=control_plane.namespace
            ),
        )
    if not writers:
        return undecided("No log of the database or of what writes to it could be read.")
    return passed("No log tells of a full volume of the database.")
