"""A service in Keptn's own cluster looks for NATS and Keptn in a namespace where they are not.

Meaning       Without an endpoint a client uses NATS and the control plane's Services by their bare
              names, which the cluster resolves in the service's own namespace. In another one than
              Keptn's it finds nobody, although Keptn is next door.
Decided by    NATS mode in another namespace of Keptn's cluster, and names that the client cannot
              resolve.
What to do    Set KEPTN_API_ENDPOINT and KEPTN_API_TOKEN (remoteControlPlane.enabled=true), or
              install the service into Keptn's namespace.
False alarms  Services of the other names, or variables that hold full names, make it work; then
              nothing fails and nothing is said.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    PodLog,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    set_variable,
    skipped,
)


@check(
    about=KeptnService,
    layer=Layer.CONFIGURATION,
    breaks="disconnected",
    explains=("service-crash-looping", "endpoint-name-unknown", "not-registered"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    control_plane: ControlPlane,
    logs: tuple[PodLog, ...],
) -> Finding:
    """Where it runs, and what it cannot find there."""
    beside = plane is not None and bool(plane.cluster_uid)
    beside = beside and plane is not None and plane.cluster_uid == control_plane.cluster_uid
    if service.endpoint or service.mode != "nats" or not beside:
        return skipped(f"{service.name} does not look for Keptn in the cluster it shares with it.")
    if not control_plane.namespace or service.namespace == control_plane.namespace:
        return skipped(f"{service.name} runs in Keptn's own namespace.")
    told = ongoing(logs, cause="dns")
    if not told:
        return passed(f"{service.name} finds what it looks for from {service.namespace}.")
    url = f"http://api-gateway-nginx.{control_plane.namespace}/api"
    return failed(
        f"{service.name} has no KEPTN_API_ENDPOINT and looks for Keptn in its own namespace "
        f"{service.namespace}, but Keptn is in {control_plane.namespace}: {quoted(told[0])}.",
        remedy="Set KEPTN_API_ENDPOINT and the token (Helm: remoteControlPlane.enabled=true), or "
        f"install it into {control_plane.namespace}.",
        command=set_variable(plane, service, f"KEPTN_API_ENDPOINT={url}"),
    )
