"""No node takes the pod of a Keptn service.

Meaning       The nodes have too little room for what the pod requests, are tainted, or are not the
              ones that it asks for; it stays pending and nothing of it runs.
Decided by    The scheduler's condition on the pod.
What to do    Add a node, free some room, or lower the requests.
False alarms  While another pod of the service runs, the service works; then this is advice.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    Workload,
    check,
    closed_nodes,
    cluster_of,
    failed,
    is_running,
    kubectl,
    passed,
    undecided,
    unscheduled,
)


@check(
    about=KeptnService,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    explains=("not-registered", "heartbeat-stale"),
    since="0.1",
)
def judge(service: KeptnService, *, workload: Workload, plane: ExecutionPlane | None) -> Finding:
    """The scheduler's own words."""
    told = unscheduled(workload)
    if not told:
        if not workload.pods:
            return undecided(f"{service.name} has no pod that could be placed.")
        return passed(f"Every pod of {service.name} has a node.")
    alive = is_running(workload, service.container)
    return failed(
        f"No node takes the pod of {service.name}: {told}.",
        remedy="Add a node, free some room on the nodes, or lower what the pod requests.",
        command=kubectl(
            plane,
            "get events --field-selector reason=FailedScheduling",
            namespace=service.namespace,
        ),
        severity="warning" if alive else "error",
        breaks="nothing" if alive else "as-declared",
        at_fault=closed_nodes(told, cluster=cluster_of(service, plane)),
    )
