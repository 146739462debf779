"""A running Keptn service is not registered at the control plane.

Meaning       No event can reach it: the control plane does not know it.
Decided by    Its id, or its registered name and namespace, in the control plane's list of
              integrations.
What to do    Find out why registering fails: the log of the client tells. When every rung below is
              fine, restart the pod.
False alarms  A pod younger than a minute may still be registering. Clients before 0.9 work without.
"""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.api import (
    Container,
    ExecutionPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    PodLog,
    Workload,
    attribute,
    check,
    containers,
    failed,
    passed,
    read_log,
    skipped,
    undecided,
)

_SETTLING_S = 60


@check(
    about=KeptnService,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    explained_by=(
        "registration-disabled",
        "registration-gone",
        "backend-down",
        "database-down",
        "control-plane-component-missing",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    listing: IntegrationListing,
    workload: Workload | None,
    logs: tuple[PodLog, ...] | None,
    taken_at: datetime,
) -> Finding:
    """Absent from a list that was read is proven; a list that was not read proves nothing."""
    if not service.behaviour.registers or service.mode == "nats":
        return skipped(f"{service.name} does not register over HTTP.")
    if service.registration_disabled and service.behaviour.polls_without_registration:
        return skipped(f"{service.name} is told not to register, and polls all the same.")
    if not service.integration_name or not service.integration_namespace:
        return undecided(f"The name under which {service.name} registers is not known.")
    record = attribute(service, listing, logs)
    if record.integration is not None:
        return passed(f"{service.name} is registered as {record.integration.id[:12]}.")
    if record.lost_id:
        return skipped("It was registered and the record is gone; see registration-gone.")
    clients = containers(workload, service.container) if workload else ()
    if _just_started(clients, taken_at):
        return undecided(f"{service.name} started less than a minute ago and may be registering.")
    known = len(listing.integrations)
    summary = (
        f"None of the {known} integrations that the control plane knows is "
        f"{service.integration_namespace}/{service.integration_name}."
    )
    polls_anyway = service.behaviour.polls_without_registration
    return failed(
        summary,
        remedy="Read in the client's log why registering fails; restart it when nothing is wrong.",
        command=read_log(plane, service),
        breaks="degraded" if polls_anyway else "as-declared",
    )


def _just_started(clients: tuple[Container, ...], now: datetime) -> bool:
    started = [c.started_at for c in clients if c.state == "running" and c.started_at]
    return bool(started) and (now - max(started)).total_seconds() < _SETTLING_S
