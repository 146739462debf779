"""The control plane runs on a Kubernetes version outside the documented range.

Meaning       Keptn's documentation names the Kubernetes versions each release was made for; beyond
              them objects may be refused (an Ingress of an old API version, say).
Decided by    The cluster's version and platform against the table for the Keptn version.
What to do    Use a Keptn release that supports the cluster, or mind what was removed in between.
False alarms  The table is documentation and not enforced; most releases run on newer clusters. The
              table of 1.y is an old copy, so what 0.19 supports counts for it.
"""

from __future__ import annotations

from typing import Literal

from keptn_doctor.api import (
    ClusterFacts,
    ControlPlane,
    Finding,
    KeptnVersion,
    Layer,
    check,
    failed,
    kubernetes_range,
    passed,
    undecided,
)

_Platform = Literal["kubernetes", "aks", "eks", "gke", "k3s"]
_PLATFORMS: dict[str, _Platform] = {"aks": "aks", "eks": "eks", "gke": "gke", "k3s": "k3s"}


@check(about=ControlPlane, layer=Layer.WORKLOAD, severity="warning", proven_by="state", since="0.1")
def judge(control_plane: ControlPlane, *, cluster: ClusterFacts, keptn: KeptnVersion) -> Finding:
    """Look the pair up in the documentation's table."""
    platform = _PLATFORMS.get(cluster.platform, "kubernetes")
    documented = kubernetes_range(keptn.version, platform)
    inside = documented.holds(cluster.version) if documented else None
    if documented is None or inside is None:
        return undecided(
            f"The documentation says nothing of Keptn {keptn.version or 'of unknown version'} on "
            f"Kubernetes {cluster.version or 'of unknown version'}."
        )
    span = f"{documented.min} to {documented.max}"
    where = "Kubernetes" if platform == "kubernetes" else platform.upper()
    if inside:
        return passed(f"Keptn {keptn.version} supports {where} {span}; this is {cluster.version}.")
    return failed(
        f"{control_plane.name} runs Keptn {keptn.version} on {where} {cluster.version}; the "
        f"documentation names {span}.",
        remedy="Mind what newer Kubernetes versions removed, or use a Keptn release made for it.",
    )
