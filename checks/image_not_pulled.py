"""An image of a Keptn service cannot be pulled.

Meaning       The kubelet does not get the image, so the container never starts. If it is not the
              client's, events are taken and nobody works on them.
Decided by    Containers waiting with ErrImagePull, ImagePullBackOff or InvalidImageName.
What to do    Read the event: an unknown tag, a registry that is not reachable, a pull secret that
              is missing, or a rate limit each need their own cure.
False alarms  While an older pod of the service still runs, the service works; then it is a warning.
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
    is_running,
    kubectl,
    passed,
    pull_failures,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    since="0.1",
)
def judge(service: KeptnService, *, workload: Workload, plane: ExecutionPlane | None) -> Finding:
    """Look for containers that wait for their image."""
    stuck = pull_failures(workload)
    if not stuck:
        if not workload.pods:
            return undecided(f"{workload.name} has no pod whose image could be pulled.")
        return passed(f"Every image of {workload.name} was pulled.")
    first = stuck[0]
    message = f": {first.message.rstrip('.')}" if first.message else ""
    image = f" {first.image}" if first.image else ""
    summary = (
        f"The image{image} of container {first.name} cannot be pulled ({first.reason}{message})."
    )
    describe = f"describe {workload.workload_kind.lower()}/{workload.name}"
    remedy = "Correct the image's name or tag, or give the cluster access to its registry."
    command = kubectl(plane, describe, namespace=workload.namespace)
    names = {container.name for container in stuck}
    if all(is_running(workload, name) for name in names):
        return failed(
            f"{summary} An older pod still runs.",
            remedy=remedy,
            command=command,
            severity="warning",
            breaks="nothing",
        )
    if service.container not in names and is_running(workload, service.container):
        return failed(
            f"{summary} Its client runs and takes events that nobody works on.",
            remedy=remedy,
            command=command,
        )
    return failed(summary, remedy=remedy, command=command)
