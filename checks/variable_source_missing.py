"""A Secret or ConfigMap that a Keptn service takes a variable from does not exist.

Meaning       The container is not started (CreateContainerConfigError) until what its pod refers to
              is there.
Decided by    Containers that wait with CreateContainerConfigError, in the kubelet's words.
What to do    Create the Secret or ConfigMap with that key, or correct the reference.
False alarms  When it is the token's Secret, token-secret-missing tells.
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
    is_running,
    kubectl,
    misconfigured,
    missing_objects,
    passed,
    skipped,
    undecided,
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
    """The kubelet says what it misses."""
    if not workload.pods:
        return undecided(f"{workload.name} has no pod that could miss anything.")
    stuck = misconfigured(workload)
    if not stuck:
        return passed(f"The pods of {service.name} find everything that they refer to.")
    if service.token.source == "missing":
        return skipped("It is the Secret of its token; see token-secret-missing.")
    first = stuck[0]
    message = first.message.rstrip(".") or "what it refers to is missing"
    alive = is_running(workload, service.container)
    return failed(
        f"Container {first.name} of {service.name} is not started: {message}.",
        remedy="Create what the pod refers to, or correct the reference.",
        command=kubectl(plane, "get secrets,configmaps", namespace=service.namespace),
        severity="warning" if alive else "error",
        breaks="nothing" if alive else "as-declared",
        at_fault=missing_objects(
            message, namespace=service.namespace, cluster=cluster_of(service, plane)
        ),
    )
