"""A Keptn service runs from an image without a fixed version.

Meaning       With the tag "latest", or none, every restart may bring another version, so what the
              service does can change without anybody having changed it.
Decided by    The images of the workload's containers.
What to do    Pin the version in the values of the chart.
False alarms  An image pinned by digest (name@sha256:…) has a fixed version and passes.
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
    undecided,
)


@check(about=KeptnService, layer=Layer.WORKLOAD, severity="warning", since="0.1")
def judge(service: KeptnService, *, workload: Workload, plane: ExecutionPlane | None) -> Finding:
    """One floating image is enough."""
    if not workload.images:
        return undecided(f"The images of {service.name} are not known.")
    floating = [image for image in workload.images if _floats(image)]
    if not floating:
        return passed(f"Every image of {service.name} has a fixed version.")
    return failed(
        f"{service.name} runs from {floating[0]}, which has no fixed version.",
        remedy="Pin the version in the values of the chart.",
        command=kubectl(
            plane,
            f"get {workload.workload_kind.lower()} {workload.name} -o yaml",
            namespace=workload.namespace,
        ),
        severity="warning",
    )


def _floats(image: str) -> bool:
    """A tag is behind the last colon of the last path part; a digest beats it."""
    if "@sha256:" in image:
        return False
    tag = image.rpartition("/")[2].partition(":")[2]
    return tag in {"", "latest"}
