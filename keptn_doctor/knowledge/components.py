"""Which workloads the control-plane chart of each Keptn release installs.

The data is ``components.json``, rendered from the chart of every stable tag 0.8.3 to 1.4.5.
"""

from __future__ import annotations

import functools

import msgspec

from keptn_doctor.knowledge.data import load
from keptn_doctor.knowledge.versions import Version, VersionRange
from keptn_doctor.model.kube_facts import ExpectedComponent

_OPTIONAL_SINCE_0_17 = frozenset(
    {"remediation-service", "approval-service", "lighthouse-service", "webhook-service",
     "statistics-service", "bridge"}
)  # fmt: skip
_EXTERNAL_POSSIBLE = frozenset({"mongodb", "keptn-mongo"})  # from 0.10.0, by a connection string


class ChartWorkload(msgspec.Struct, frozen=True):
    """One entry of the data file, as far as the doctor uses it; the lab uses the rest."""

    versions: VersionRange
    kind: str
    name: str
    role: str = ""
    event_path: bool = False


class _File(msgspec.Struct, frozen=True):
    components: tuple[ChartWorkload, ...]


@functools.cache
def all_workloads() -> tuple[ChartWorkload, ...]:
    """Every entry for every range of versions."""
    return load("components.json", _File).components


@functools.cache
def component_names() -> frozenset[str]:
    """Names of all control-plane workloads of all versions: what belongs to the control plane."""
    return frozenset(workload.name for workload in all_workloads())


def expected_components(version: str) -> tuple[ExpectedComponent, ...]:
    """Workloads of one release; of the nearest older release for an unlisted one, () if unreadable.

    ``optional`` is what the chart's values can switch off: the services off the event path from
    0.17.0 (``installer/manifests/keptn/values.yaml``), Bridge and statistics on any version, and
    MongoDB where an external one can be used (0.10.0 on).
    """
    release = Version.parse(version)
    if release is None:
        return ()
    nearest = _nearest_listed(release)
    return tuple(
        ExpectedComponent(
            name=workload.name,
            workload_kind=workload.kind,
            role=workload.role,
            event_path=workload.event_path,
            optional=_is_optional(workload.name, release),
        )
        for workload in all_workloads()
        if nearest is not None and workload.versions.holds(nearest)
    )


def _nearest_listed(release: Version) -> Version | None:
    if any(workload.versions.holds(release) for workload in all_workloads()):
        return release
    ends = (Version.parse(workload.versions.last) for workload in all_workloads())
    older = [end for end in ends if end is not None and end < release]
    return max(older, default=None)


def _is_optional(name: str, release: Version) -> bool:
    if name in _EXTERNAL_POSSIBLE:
        return release.within("0.10.0", "")
    if name in {"bridge", "statistics-service"}:
        return True
    return name in _OPTIONAL_SINCE_0_17 and release.within("0.17.0", "")
