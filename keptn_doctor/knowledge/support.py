"""What the Keptn documentation supports: Kubernetes ranges, cluster sizes, sums of requests.

Documentation, not enforcement: outside of it is a warning at most. Data: ``support.json``.
"""

from __future__ import annotations

import functools
from typing import Literal

import msgspec

from keptn_doctor.knowledge.data import load
from keptn_doctor.knowledge.versions import Version, VersionRange

Platform = Literal["kubernetes", "aks", "eks", "gke", "k3s"]


class KubernetesRange(msgspec.Struct, frozen=True):
    """Inclusive minor versions: "1.17" to "1.22"."""

    min: str
    max: str

    def holds(self, version: str) -> bool | None:
        """Whether "1.24" (or "1.24+") is inside; None when it cannot be read."""
        asked, low, high = _minor(version), _minor(self.min), _minor(self.max)
        if asked is None or low is None or high is None:
            return None
        return low <= asked <= high


class Amount(msgspec.Struct, frozen=True):
    """CPU in millicores, memory in MiB."""

    cpu_m: int
    memory_mi: int


class Sums(msgspec.Struct, frozen=True):
    """Sums over one release's control plane with default values, init containers left out."""

    keptn: VersionRange
    pods: int
    requests: Amount
    limits: Amount
    pvc_mi: int = 0


class _Documented(msgspec.Struct, frozen=True):
    keptn: VersionRange
    kubernetes: KubernetesRange | None = None
    aks: KubernetesRange | None = None
    eks: KubernetesRange | None = None
    gke: KubernetesRange | None = None
    k3s: KubernetesRange | None = None
    architecture: tuple[str, ...] = ()


class ClusterSize(msgspec.Struct, frozen=True):
    """The documentation's rule of thumb for one profile; None where it gives no number."""

    keptn: VersionRange
    profile: str
    vcpu: int | None = None
    memory_gb: int | None = None
    disk_gb: int | None = None


class _File(msgspec.Struct, frozen=True):
    documented: tuple[_Documented, ...]
    cluster_size: tuple[ClusterSize, ...]
    control_plane_sums: tuple[Sums, ...]


@functools.cache
def _file() -> _File:
    return load("support.json", _File)


def kubernetes_range(
    keptn_version: str, platform: Platform = "kubernetes"
) -> KubernetesRange | None:
    """The documented range for a Keptn release on a platform; None when there is none.

    Two defects of the documentation are mended: 0.17 has no table and counts as 0.16, and the table
    of 1.y is an old copy, so what 0.19 supported counts for 1.y as well.
    """
    release = Version.parse(keptn_version)
    if release is None:
        return None
    if release.within("0.17.0", "0.17.99"):
        release = Version(major=0, minor=16, patch=0)
    elif release.within("1.0.0", ""):
        release = Version(major=0, minor=19, patch=0)
    for row in _file().documented:
        if row.keptn.holds(release):
            found: KubernetesRange | None = getattr(row, platform) or row.kubernetes
            return found
    return None


def control_plane_size() -> ClusterSize:
    """The documented minimum for a control plane: 2 vCPU, 4 GB; the same in every release."""
    return next(size for size in _file().cluster_size if size.profile == "control plane")


def control_plane_sums(keptn_version: str) -> Sums | None:
    """Requests and limits of one release's control plane; None for an unlisted release."""
    release = Version.parse(keptn_version)
    if release is None:
        return None
    return next((s for s in _file().control_plane_sums if s.keptn.holds(release)), None)


def _minor(version: str) -> tuple[int, int] | None:
    major, _, rest = version.strip().removeprefix("v").partition(".")
    minor = rest.partition(".")[0].rstrip("+")
    if major.isdigit() and minor.isdigit():
        return int(major), int(minor)
    return None
