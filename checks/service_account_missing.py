"""The ServiceAccount of a Keptn service does not exist.

Meaning       The pod names a ServiceAccount that was deleted or never made, so the API server does
              not create the pod; nothing crashes, and no log exists.
Decided by    The workload's ReplicaFailure condition or its FailedCreate events.
What to do    Create the ServiceAccount, by upgrading the Helm release for example.
False alarms  While a pod runs, only the next one is refused; then this is advice.
"""

from __future__ import annotations

import re

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    Workload,
    check,
    cluster_of,
    failed,
    is_running,
    kubectl,
    passed,
    refused_creation,
)

# plugin/pkg/admission/serviceaccount/admission.go of Kubernetes
_MISSING = re.compile(r'serviceaccount "([^"]+)" not found', re.IGNORECASE)


@check(
    about=KeptnService,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    explains=("pods-forbidden-by-policy", "not-registered", "heartbeat-stale"),
    since="0.1",
)
def judge(service: KeptnService, *, workload: Workload, plane: ExecutionPlane | None) -> Finding:
    """The API server's own words."""
    missing = _MISSING.search(refused_creation(workload))
    if missing is None:
        return passed(f"No ServiceAccount of {service.name} is missed.")
    account = f"{service.namespace}/{missing[1]}"
    alive = is_running(workload, service.container)
    return failed(
        f"The ServiceAccount {missing[1]} of {service.name} does not exist in namespace "
        f"{service.namespace}, so no pod of it is created.",
        remedy="Create it; upgrading the Helm release does.",
        command=kubectl(plane, f"create serviceaccount {missing[1]}", namespace=service.namespace),
        severity="warning" if alive else "error",
        breaks="nothing" if alive else "as-declared",
        at_fault=(f"service account {account} of {cluster_of(service, plane)} is missing",),
    )
