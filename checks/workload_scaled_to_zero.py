"""The workload of a Keptn service is scaled to zero.

Meaning       No pod of the service exists, so nothing registers, polls or works.
Decided by    The number of replicas that the workload asks for.
What to do    Scale it to one replica, or leave it if it is switched off on purpose.
False alarms  An autoscaler may scale an idle service to zero; Keptn services poll, so they must
              not be scaled by their own traffic.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    Workload,
    check,
    failed,
    kubectl,
    passed,
)


@check(
    about=KeptnService,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    since="0.1",
)
def judge(service: KeptnService, *, workload: Workload, plane: ExecutionPlane | None) -> Finding:
    """Compare the replicas asked for with zero."""
    name = f"{workload.workload_kind} {workload.namespace}/{workload.name}"
    if workload.desired == 0:
        scale = f"scale {workload.workload_kind.lower()}/{workload.name} --replicas=1"
        return failed(
            f"{name} asks for 0 replicas: no pod of {service.name} exists.",
            remedy="Scale it up, unless it is switched off on purpose.",
            command=kubectl(plane, scale, namespace=workload.namespace),
        )
    wanted = "a pod per node" if workload.desired is None else f"{workload.desired} replicas"
    return passed(f"{name} asks for {wanted}.")
