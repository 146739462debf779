"""The registration of a running Keptn service has vanished from the control plane.

Meaning       The record was deleted by hand, by its time limit or with the database, and the
              client goes on sending heartbeats for an id that nobody knows.
Decided by    The id that the pod printed when it registered, missing from the list; or "uniform
              integration not found" in its log.
What to do    Restart the pod: it registers anew.
False alarms  Clients before 0.9 register again every few seconds; their record is never lost.
              Clients from 0.14 on end themselves after ten lost heartbeats and register anew.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    attribute,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    restart,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    proven_by="state",
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    listing: IntegrationListing | None,
    logs: tuple[PodLog, ...],
    local: LocalApiAnswer | None,
) -> Finding:
    """An id that was given out and is no longer known."""
    if service.behaviour.heartbeat != "ping":
        return skipped(f"{service.name} registers anew all the time.")
    remedy = f"Restart {service.name}, so that it registers anew."
    command = restart(plane, service)
    told = ongoing(logs, cause="registration_gone")
    if told:
        summary = f"The control plane no longer knows {service.name}: {quoted(told[0])}."
        return failed(summary, remedy=remedy, command=command)
    if listing is None:
        return undecided("The control plane's list of integrations could not be read.")
    record = attribute(service, listing, logs)
    if not record.lost_id:
        return passed(f"No registration of {service.name} was lost.")
    elsewhere = local is not None and record.lost_id in local.integrations
    if elsewhere:
        return undecided(f"{service.name} is registered at another control plane than this one.")
    return failed(
        f"{service.name} registered as {record.lost_id[:12]}, which the control plane does not "
        "know any more.",
        remedy=remedy,
        command=command,
    )
