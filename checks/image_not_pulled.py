"""An image of a Keptn service cannot be pulled.

Meaning       The kubelet does not get the image, so the container never starts. If it is not the
              client's, events are taken and nobody works on them.
Decided by    Containers waiting with ErrImagePull, ImagePullBackOff or InvalidImageName, and the
              error of the last pull.
What to do    Read the error: an unknown tag, a registry that is not reachable, a pull secret that
              is missing, or a rate limit each need their own cure.
False alarms  While an older pod of the service still runs, the service works; then it is a warning.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    RefusedImage,
    Workload,
    broken_images,
    check,
    cluster_of,
    failed,
    in_a_sentence,
    is_running,
    kubectl,
    passed,
    refused_images,
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
    stuck = refused_images(workload)
    if not stuck:
        if not workload.pods:
            return undecided(f"{workload.name} has no pod whose image could be pulled.")
        return passed(f"Every image of {workload.name} was pulled.")
    summary = _summary(stuck, service.plane)
    remedy = _remedy(stuck[0], service.plane)
    describe = f"describe {workload.workload_kind.lower()}/{workload.name}"
    command = kubectl(plane, describe, namespace=workload.namespace)
    names = {image.container for image in stuck}
    if all(is_running(workload, name) for name in names):
        return failed(
            f"{summary} An older pod still runs.",
            remedy=remedy,
            command=command,
            severity="warning",
            breaks="nothing",
        )
    if service.container not in names and is_running(workload, service.container):
        summary = f"{summary} Its client runs and takes events that nobody works on."
    at_fault = broken_images(stuck, cluster=cluster_of(service, plane))
    return failed(summary, remedy=remedy, command=command, at_fault=at_fault)


def _summary(stuck: tuple[RefusedImage, ...], plane: str) -> str:
    first = stuck[0]
    told = f"({first.reason}{f': {first.message}' if first.message else ''})"
    which = [f"{o.image or 'that'} of container {o.container}" for o in stuck]
    registries = in_a_sentence(sorted({image.registry for image in stuck}))
    refusals = {image.refusal for image in stuck}
    if refusals == {"limited"}:
        why = f"{plane} may pull no more from {registries} for now {told}."
        return f"{why} Not pulled: {', '.join(which)}."
    if refusals == {"unreachable"}:
        why = f"{plane} cannot use the registry {registries} {told}."
        return f"{why} Not pulled: {', '.join(which)}."
    image = f" {first.image}" if first.image else ""
    why = f"The image{image} of container {first.container} cannot be pulled {told}."
    return " ".join((why, *(f"Nor can {other}." for other in which[1:])))


def _remedy(first: RefusedImage, plane: str) -> str:
    if first.refusal == "missing":
        return "Correct the image's name or tag."
    if first.refusal == "limited":
        return f"Give {plane} a pull secret of {first.registry}, or pull from a mirror."
    if first.refusal == "unreachable":
        return (
            f"Let the nodes of {plane} reach {first.registry} (its name, a firewall, a proxy, its "
            "certificate), or pull from a mirror."
        )
    return "Correct the image's name or tag, or give the cluster access to its registry."
