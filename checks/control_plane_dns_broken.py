"""Name resolution inside the control plane's cluster does not work.

Meaning       The gateway looks its backends up when it starts; without DNS it ends with "host not
              found in upstream", although every Service is there.
Decided by    That line in the gateway's log for a Service that exists, or no ready DNS pod.
What to do    Repair the cluster's DNS (CoreDNS), then restart the gateway.
False alarms  A Service that is missing is another fault: gateway-upstream-missing.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ClusterFacts,
    Components,
    ComponentServices,
    ControlPlane,
    Finding,
    Layer,
    LogMatch,
    PodLog,
    check,
    component,
    failed,
    kubectl,
    passed,
    quoted,
    troubles,
    undecided,
)


@check(
    about=ControlPlane,
    layer=Layer.HTTP,
    breaks="disconnected",
    proven_by="state",
    explains=(
        "gateway-down",
        "database-down",
        "messaging-down",
        "backend-down",
        "auth-backend-down",
    ),
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    cluster: ClusterFacts | None,
    services: ComponentServices | None,
    components: Components | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """What the gateway could not find, and whether it exists."""
    told = troubles(logs, cause="upstream_unknown")
    unresolved = [m for m in told if _exists(m, services)]
    silent = cluster is not None and cluster.dns_pods and cluster.dns_pods_ready == 0
    workload = component(components, "api-gateway-nginx") if components else None
    remedy = "Repair the DNS pods of the cluster, then restart api-gateway-nginx."
    command = kubectl(
        control_plane, "get pods -l k8s-app=kube-dns -o wide", namespace="kube-system"
    )
    if unresolved and (workload is None or workload.ready == 0):
        name = unresolved[0].captures.get("host", "its backend")
        return failed(
            f"The gateway cannot resolve {name}, which exists: {quoted(unresolved[0])}.",
            remedy=remedy,
            command=command,
        )
    if silent:
        down = workload is not None and workload.ready == 0
        return failed(
            "No DNS pod of the control plane's cluster is ready.",
            remedy=remedy,
            command=command,
            breaks="disconnected" if down else "degraded",
        )
    if told or (cluster is not None and cluster.dns_pods_ready):
        return passed("The control plane's cluster resolves names.")
    return undecided("Whether names resolve in the control plane's cluster was not seen.")


def _exists(match: LogMatch, services: ComponentServices | None) -> bool:
    name = match.captures.get("host", "").partition(".")[0]
    return services is not None and any(service.name == name for service in services.services)
