"""A service beside the control plane looks for NATS under a name that is gone.

Meaning       The broker's Service was keptn-nats-cluster up to 0.13 and is keptn-nats since 0.14. A
              client in NATS mode with the other name registers over HTTP and looks alive, but
              hears no event.
Decided by    PUBSUB_URL of the client, or what its version takes when it is not set, against the
              Services of the control plane's namespace.
What to do    Set PUBSUB_URL to the name that exists, or upgrade the service.
False alarms  Clients that call a remote control plane use no NATS. A Service under the old name
              that somebody added is fine.
"""

from __future__ import annotations

from keptn_doctor.api import (
    BROKERS,
    ComponentServices,
    ControlPlane,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    check,
    failed,
    passed,
    set_variable,
    skipped,
)

_OLD, _NEW = "keptn-nats-cluster", "keptn-nats"


@check(about=KeptnService, layer=Layer.DELIVERY, breaks="disconnected", since="0.1")
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    plane: ExecutionPlane | None,
    services: ComponentServices,
) -> Finding:
    """The host that the client dials must be a Service, when the broker has another one."""
    if service.mode != "nats" or not _is_beside(control_plane, plane):
        return skipped(f"{service.name} does not use the control plane's NATS.")
    there = {s.name for s in services.services}
    brokers = sorted(there & set(BROKERS))
    host = _host(service)
    if not brokers or host in there or host not in BROKERS:
        return passed(f"{service.name} calls NATS as {host or 'its version does'}.")
    return failed(
        f"{service.name} looks for NATS as {host}, but the control plane's is {brokers[0]}.",
        remedy=f"Set PUBSUB_URL to nats://{brokers[0]}.",
        command=set_variable(plane, service, f"PUBSUB_URL=nats://{brokers[0]}"),
    )


def _host(service: KeptnService) -> str:
    """Where the client connects: as set, else by the default of its version."""
    if service.pubsub_url:
        return service.pubsub_url.partition("://")[2].partition(":")[0].partition(".")[0]
    major, _, rest = service.client_version.partition(".")
    minor = rest.partition(".")[0]
    if not minor.isdigit() or service.client == "sdk":
        return ""
    return _OLD if major == "0" and int(minor) < 14 else _NEW


def _is_beside(control_plane: ControlPlane, plane: ExecutionPlane | None) -> bool:
    if plane is None:
        return True
    return bool(plane.cluster_uid) and plane.cluster_uid == control_plane.cluster_uid
