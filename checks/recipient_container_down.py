"""A distributor cannot hand events to the Keptn service beside it.

Meaning       Events are fetched, and lost on the last step: nobody listens where the distributor
              delivers them (PUBSUB_RECIPIENT, PUBSUB_RECIPIENT_PORT, _PATH), or the service's
              container is down. The connection itself is fine.
Decided by    The distributor's log: delivering to the recipient failed.
What to do    Compare PUBSUB_RECIPIENT_PORT with the port that the service listens on, and see that
              its container is up.
False alarms  One delivery that failed while the service was starting is forgotten after minutes.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    PodLog,
    Workload,
    check,
    containers,
    failed,
    passed,
    quoted,
    set_variable,
    skipped,
    troubles,
)


@check(
    about=KeptnService,
    layer=Layer.DELIVERY,
    breaks="degraded",
    explained_by=("service-crash-looping", "image-not-pulled"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    logs: tuple[PodLog, ...],
    workload: Workload | None,
    plane: ExecutionPlane | None,
) -> Finding:
    """The log tells; the ports that the service declares make a guess at what is right."""
    if service.client == "sdk":
        return skipped(f"{service.name} takes its events itself.")
    told = troubles(logs, event="local_delivery")
    if not told:
        return passed(f"The distributor of {service.name} tells of no failed delivery.")
    inside = containers(workload, service.service_container) if workload else ()
    ports = [port for container in inside for port in container.ports]
    port = service.recipient.rpartition(":")[2]
    declared = (
        f"; its container declares port {ports[0]}" if ports and str(ports[0]) != port else ""
    )
    return failed(
        f"The distributor of {service.name} hands events to {service.recipient or 'its recipient'}"
        f" in vain{declared}: {quoted(told[0])}.",
        remedy="Set PUBSUB_RECIPIENT_PORT to the port of the service, and see that it listens.",
        command=set_variable(
            plane, service, f"PUBSUB_RECIPIENT_PORT={ports[0] if ports else '8080'}"
        ),
    )
