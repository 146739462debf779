"""A quota leaves no room for the pods of a Keptn service.

Meaning       A ResourceQuota is used up, or it (or a LimitRange) asks for requests or limits that
              the pod does not state, so the pod is not created.
Decided by    The workload's ReplicaFailure condition or its FailedCreate events.
What to do    Raise the quota, or set the requests and limits in the chart's values; jmeter-service
              has no limits of its own.
False alarms  While a pod runs, only the next one is refused; then this is advice.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    Workload,
    check,
    cluster_of,
    failed,
    is_limit,
    is_running,
    kubectl,
    passed,
    refused_creation,
    refusing_quota,
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
    """The API server's own words."""
    refusal = refused_creation(workload)
    if not refusal or not is_limit(refusal):
        return passed(f"No quota refuses pods of {service.name}.")
    alive = is_running(workload, service.container)
    return failed(
        f"A quota of namespace {service.namespace} refuses pods of {service.name}: {refusal}.",
        remedy="Raise the quota, or set the requests and limits that it asks for.",
        command=kubectl(plane, "describe resourcequota,limitrange", namespace=service.namespace),
        severity="warning" if alive else "error",
        breaks="nothing" if alive else "as-declared",
        at_fault=refusing_quota(
            refusal, namespace=service.namespace, cluster=cluster_of(service, plane)
        ),
    )
