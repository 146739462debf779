"""A policy of the cluster refuses the pods of a Keptn service.

Meaning       Pod Security, OpenShift's security context constraints or an admission webhook rejects
              the pod as it is described, so there is none; nothing crashes, and no log exists.
Decided by    The workload's ReplicaFailure condition or its FailedCreate events.
What to do    Give the pod the security context that the message asks for (the charts have values
              for it), or label the namespace with a level that allows it.
False alarms  A refusal by quota is another matter: see quota-exceeded. While a pod runs, only the
              next one is refused; then this is advice.
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
    refusing_policy,
    skipped,
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
    if not refusal:
        return passed(f"No pod of {service.name} is refused.")
    if is_limit(refusal):
        return skipped("A quota refuses it; see quota-exceeded.")
    alive = is_running(workload, service.container)
    return failed(
        f"The API server refuses pods of {service.name}: {refusal}.",
        remedy="Give the pod the security context that the policy asks for, or relax the policy.",
        command=kubectl(
            plane, "get events --field-selector reason=FailedCreate", namespace=service.namespace
        ),
        severity="warning" if alive else "error",
        breaks="nothing" if alive else "as-declared",
        at_fault=refusing_policy(
            refusal, namespace=service.namespace, cluster=cluster_of(service, plane)
        ),
    )
