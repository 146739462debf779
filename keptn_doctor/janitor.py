"""What a run creates in clusters and in Keptn, written down before it is, and removed again.

Pods and projects are entered here under names of the doctor's own choosing *before* the request
goes out: an answer that never came leaves nothing unknown behind. Each probe pod is removed as soon
as it has told what it saw, each project when its round trip is over; what an interruption left is
removed by ``clean`` at the end of the run, and what a killed run left by ``keptn-doctor cleanup``.
Nothing else is ever removed.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.keptn_api import KeptnApi
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.probe_pod_manifest import RUN_LABEL
from keptn_doctor.probes.round_trip_project import ProjectEntry, remove
from keptn_doctor.probes.round_trip_writes import OwnProject
from keptn_doctor.probes.workloads import scoped

_PODS_S = 5.0
_PROJECTS_S = 15.0  # Keptn takes its time over a project, and Git over its creation
_LATE_S = 2.0  # of those, for answers that come late


@dataclass(slots=True)
class Entry:
    """One probe pod, from the intention to create it until it is known gone."""

    kube: KubeClient
    namespace: str
    name: str
    uid: str = ""  # once the cluster has said that it was created
    refused: bool = False  # the cluster said that it was not
    gone: bool = False


@dataclass(slots=True)
class Janitor:
    """The ledger of one run. ``run`` is the value of the label that its pods carry."""

    run: str = field(default_factory=lambda: secrets.token_hex(5))
    entries: list[Entry] = field(default_factory=list)
    projects: list[ProjectEntry] = field(default_factory=list)

    @property
    def created(self) -> int:
        """How many pods and projects were created for this run, as far as anybody said so."""
        pods = sum(1 for entry in self.entries if entry.uid)
        return pods + sum(1 for entry in self.projects if entry.made)

    @property
    def remaining(self) -> int:
        """How many of them are not known to be gone."""
        pods = sum(1 for entry in self.entries if not entry.gone and not entry.refused)
        return pods + sum(1 for entry in self.projects if not entry.gone and not entry.refused)

    @property
    def limit_s(self) -> float:
        """How long ``clean`` may take."""
        return _PROJECTS_S if self.projects else _PODS_S

    def enter(self, kube: KubeClient, namespace: str) -> Entry:
        """Write down a pod that is about to be created; its name is new."""
        name = f"keptn-doctor-{self.run}-{len(self.entries) + 1}"
        entry = Entry(kube=kube, namespace=namespace, name=name)
        self.entries.append(entry)
        return entry

    def enter_project(self, api: KeptnApi, own: OwnProject) -> ProjectEntry:
        """Write down a project that is about to be made."""
        entry = ProjectEntry(api=api, own=own)
        self.projects.append(entry)
        return entry

    async def remove(self, entry: Entry) -> None:
        """Remove one pod; raises WorldFault when the cluster does not do it."""
        if entry.gone or entry.refused:
            return
        try:
            await entry.kube.delete_pod(entry.namespace, entry.name, uid=entry.uid)
        except WorldFault as fault:
            if fault.failure.code not in ("not-found", "conflict"):
                raise
        entry.gone = True

    async def clean(self) -> None:
        """Remove whatever is left, then ask the clusters whether any pod of this run still is."""
        left = [entry for entry in self.entries if not entry.gone and not entry.refused]
        projects = (remove(entry, late_s=_LATE_S, pause_s=0.5) for entry in self.projects)
        removing = (*(self.remove(entry) for entry in left), *projects)
        await asyncio.gather(*removing, return_exceptions=True)
        places = {(id(e.kube), e.namespace): e for e in self.entries if not e.refused}
        await asyncio.gather(*(self._look_again(e) for e in places.values()))

    async def _look_again(self, place: Entry) -> None:
        path = scoped("/api/v1", "pods", place.namespace)
        try:
            found = await place.kube.list(
                path, k8s.Pod, {"labelSelector": f"{RUN_LABEL}={self.run}"}
            )
        except WorldFault:
            return  # what the deletions said stands
        names = {pod.name: pod.uid for pod in found}
        for entry in self.entries:
            if entry.kube is place.kube and entry.namespace == place.namespace:
                entry.uid = entry.uid or names.get(entry.name, "")
                entry.gone = entry.name not in names
