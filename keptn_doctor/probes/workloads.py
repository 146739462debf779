"""Deployments, StatefulSets and DaemonSets with their pods: one ``Workload`` fact each.

A workload is found by itself and not by its pods, because the worst ones have none.
"""

from __future__ import annotations

import asyncio
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from urllib.parse import quote

from keptn_doctor.model.base import Record
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.kube_facts import Workload
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pods import EventIndex, conditions, pod_fact
from keptn_doctor.redact import Redactor

Owned = TypeVar("Owned", bound=k8s.Object)
Owner = tuple[str, str, str]  # kind, namespace, name
WorkloadKind = Literal["Deployment", "StatefulSet", "DaemonSet"]
PLURALS: dict[WorkloadKind, str] = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
}


class FoundWorkload(Record, frozen=True, kw_only=True):
    """A workload object with its kind, which list items do not carry."""

    kind: WorkloadKind
    object: k8s.Workload

    @property
    def template(self) -> k8s.PodTemplate:
        spec = self.object.spec or k8s.WorkloadSpec()
        return spec.template or k8s.PodTemplate()

    @property
    def containers(self) -> list[k8s.Container]:
        return (self.template.spec and self.template.spec.containers) or []


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What goes with the workloads of a namespace; empty where it could not be read."""

    pods: tuple[k8s.Pod, ...] = ()
    replica_sets: tuple[k8s.Workload, ...] = ()
    events: EventIndex = field(default_factory=dict)

    @functools.cached_property
    def pods_by_owner(self) -> Mapping[Owner, Sequence[k8s.Pod]]:
        return _by_owner(self.pods)

    @functools.cached_property
    def replica_sets_by_owner(self) -> Mapping[Owner, Sequence[k8s.Workload]]:
        return _by_owner(self.replica_sets)

    @functools.cached_property
    def pods_by_guess(self) -> Mapping[Owner, Sequence[k8s.Pod]]:
        """Pods of replica sets that could not be read, by the Deployment their names tell."""
        known = {(item.namespace, item.name) for item in self.replica_sets}
        found: dict[Owner, list[k8s.Pod]] = defaultdict(list)
        for pod in self.pods:
            for owner in pod.owners:
                name, _, suffix = (owner.name or "").rpartition("-")
                unread = (pod.namespace, owner.name or "") not in known
                hashed = suffix == pod.labels.get("pod-template-hash", suffix)
                if owner.kind == "ReplicaSet" and unread and hashed:
                    found["Deployment", pod.namespace, name].append(pod)
        return found


def _by_owner(items: Iterable[Owned]) -> dict[Owner, list[Owned]]:
    found: dict[Owner, list[Owned]] = defaultdict(list)
    for item in items:
        for owner in item.owners:
            found[owner.kind or "", item.namespace, owner.name or ""].append(item)
    return found


def scoped(group: str, resource: str, namespace: str = "") -> str:
    """The path of a resource in one namespace, or in all of them for ""."""
    where = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{group}{where}/{resource}"


async def list_workloads(
    kube: KubeClient, namespace: str = "", *, selector: str = ""
) -> tuple[tuple[FoundWorkload, ...], tuple[Failure, ...]]:
    """Workloads of one namespace, or of all for "", with the failures of the kinds not readable."""
    found: list[FoundWorkload] = []
    failures: list[Failure] = []
    params = {"labelSelector": selector} if selector else None
    answers = await asyncio.gather(*(_list(kube, kind, namespace, params) for kind in PLURALS))
    for kind, answer in zip(PLURALS, answers, strict=True):
        if isinstance(answer, Failure):
            failures.append(answer)
        else:
            found += [FoundWorkload(kind=kind, object=item) for item in answer]
    return tuple(found), tuple(failures)


async def _list(
    kube: KubeClient, kind: WorkloadKind, namespace: str, params: dict[str, str] | None
) -> tuple[k8s.Workload, ...] | Failure:
    path = scoped("/apis/apps/v1", PLURALS[kind], namespace)
    try:
        return await kube.list(path, k8s.Workload, params)
    except WorldFault as fault:
        return fault.failure


def owned_pods(workload: FoundWorkload, around: Surroundings) -> tuple[k8s.Pod, ...]:
    """The pods that a workload owns, finished and terminating ones included."""
    own = _owner(workload)
    if workload.kind != "Deployment":
        return tuple(around.pods_by_owner.get(own, ()))
    through_sets = [
        pod
        for item in replica_sets_of(workload, around)
        for pod in around.pods_by_owner.get(("ReplicaSet", item.namespace, item.name), ())
    ]
    return (*through_sets, *around.pods_by_guess.get(own, ()))


def replica_sets_of(workload: FoundWorkload, around: Surroundings) -> tuple[k8s.Workload, ...]:
    """The replica sets of a Deployment."""
    return tuple(around.replica_sets_by_owner.get(_owner(workload), ()))


def _owner(workload: FoundWorkload) -> Owner:
    return workload.kind, workload.object.namespace, workload.object.name


def workload_fact(workload: FoundWorkload, around: Surroundings, *, redactor: Redactor) -> Workload:
    """The fact about one workload."""
    thing = workload.object
    spec, status = thing.spec or k8s.WorkloadSpec(), thing.status or k8s.WorkloadStatus()
    sets = replica_sets_of(workload, around) if workload.kind == "Deployment" else ()
    daemon = workload.kind == "DaemonSet"
    born = [s.created_at for s in sets if s.created_at]
    about = [(workload.kind, thing.name), *(("ReplicaSet", s.name) for s in sets)]
    return Workload(
        workload_kind=workload.kind,
        namespace=thing.namespace,
        name=thing.name,
        desired=status.desired_number_scheduled if daemon else _replicas(spec),
        ready=(status.number_ready if daemon else status.ready_replicas) or 0,
        created_at=thing.created_at,
        labels=thing.labels,
        images=tuple(c.image or "" for c in workload.containers),
        conditions=conditions(status.conditions, redactor),
        pods=tuple(
            pod_fact(
                pod, redactor=redactor, events=around.events, owner=(workload.kind, thing.name)
            )
            for pod in owned_pods(workload, around)
        ),
        events=tuple(
            event
            for kind, name in about
            for event in around.events.get((kind, thing.namespace, name), ())
        ),
        last_rollout_at=max(born, default=None),
    )


def _replicas(spec: k8s.WorkloadSpec) -> int:
    return 1 if spec.replicas is None else spec.replicas  # the API's default


def is_finished(pod: k8s.Pod) -> bool:
    """Whether a pod has run to its end, as those of Jobs do."""
    return pod.status is not None and pod.status.phase in {"Succeeded", "Failed"}


def newest_running(pods: Iterable[k8s.Pod]) -> k8s.Pod | None:
    """The pod to take per-pod values from: a running one before any other, the newest first."""
    alive = [pod for pod in pods if pod.deleted_at is None and not is_finished(pod)]
    ranked = sorted(
        alive,
        key=lambda pod: (
            bool(pod.status and pod.status.phase == "Running"),
            pod.created_at.timestamp() if pod.created_at else 0.0,
        ),
    )
    return ranked[-1] if ranked else None
