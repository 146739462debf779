"""The control plane's message store is full.

Meaning       From 0.14 on NATS keeps every event in the JetStream stream "keptn", which has neither
              age nor size limit. When its 5 GiB are used up nothing more is stored:
              shipyard-controller goes quiet, while heartbeats and polls go on.
Decided by    What NATS or shipyard-controller say of a full store, or "No space left on device" in
              the log of NATS.
What to do    Purge old messages of the stream, enlarge its claim, and give the stream a limit.
False alarms  A full volume of the database is another matter: see database-disk-full.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    Finding,
    Layer,
    PodLog,
    check,
    failed,
    kubectl,
    passed,
    quoted,
    troubles,
    undecided,
)

_SPEAKERS = ("nats", "shipyard-controller", "api-service")


@check(
    about=ControlPlane,
    layer=Layer.DELIVERY,
    breaks="degraded",
    explains=("messaging-down",),
    since="0.1",
)
def judge(control_plane: ControlPlane, *, logs: tuple[PodLog, ...] | None) -> Finding:
    """NATS's own words, or those of who stores events there."""
    spoken = tuple(log for log in logs or () if log.container in _SPEAKERS)
    broker = tuple(log for log in spoken if log.container == "nats")
    told = troubles(spoken, event="message_store_full") or troubles(broker, event="storage_full")
    if told:
        return failed(
            f"The message store of NATS is full: {quoted(told[0])}.",
            remedy="Purge old messages of the stream keptn, enlarge its claim, or limit it.",
            command=kubectl(
                control_plane, "describe pvc -l app.kubernetes.io/name=keptn-nats",
                namespace=control_plane.namespace,
            ),
        )  # fmt: skip
    if not broker:
        return undecided("The log of NATS was not read.")
    return passed("NATS tells of no full store.")
