"""Pods as Kubernetes would show them, written from a plan."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from keptn_doctor.lab import objects
from keptn_doctor.lab.kube.objects import copied
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.workloads.plan import ContainerPlan, PodPlan


def pod_object(
    plan: PodPlan, *, owner: Object, template: Object, name: str, now: datetime, age_s: float
) -> Object:
    """The Pod of a workload's ReplicaSet (or of the StatefulSet or DaemonSet itself)."""
    meta, born = owner["metadata"], now - timedelta(seconds=age_s)
    of_template = template.get("metadata") or {}
    pod = objects.obj(
        "Pod", name, meta["namespace"], born=born,
        labels={**(of_template.get("labels") or {}), **_extra_labels(owner, name)},
        annotations={**(of_template.get("annotations") or {}), **plan.annotations} or None,
    )  # fmt: skip
    pod["metadata"]["ownerReferences"] = [
        {
            "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"],
            "uid": meta.get("uid", ""), "controller": True, "blockOwnerDeletion": True,
        }
    ]  # fmt: skip
    pod["spec"] = copied(template.get("spec") or {})
    if plan.node:
        pod["spec"]["nodeName"] = plan.node
    pod["status"] = pod_status(plan, name=name, born=born, now=now)
    return pod


def _extra_labels(owner: Object, name: str) -> dict[str, str]:
    if owner["kind"] == "ReplicaSet":
        return {"pod-template-hash": owner["metadata"]["labels"]["pod-template-hash"]}
    if owner["kind"] == "StatefulSet":
        return {"statefulset.kubernetes.io/pod-name": name}
    return {}


def pod_address(name: str) -> str:
    digest = hashlib.sha256(name.encode()).digest()
    return f"10.244.{digest[0]}.{digest[1] % 254 + 1}"


def pod_status(plan: PodPlan, *, name: str, born: datetime, now: datetime) -> Object:
    """The status of a pod; times follow from its age and from how long ago things happened."""
    status: Object = {"phase": plan.phase, "conditions": _conditions(plan, born)}
    if plan.reason:
        status["reason"] = plan.reason
    if plan.message:
        status["message"] = plan.message
    if plan.node:
        status |= {"hostIP": plan.node_address, "startTime": objects.stamp(born)}
        if plan.phase in {"Running", "Pending"}:
            status["podIP"] = pod_address(name)
    inits = [c for c in plan.containers if c.init]
    if plan.node and plan.reason != "Evicted":
        if inits:
            status["initContainerStatuses"] = [_container(c, born, now) for c in inits]
        status["containerStatuses"] = [
            _container(c, born, now) for c in plan.containers if not c.init
        ]
    return status


def _conditions(plan: PodPlan, born: datetime) -> list[Object]:
    since = objects.stamp(born)

    def row(kind: str, holds: object, reason: str = "", message: str = "") -> Object:
        made = {"type": kind, "status": "True" if holds else "False", "lastTransitionTime": since}
        if reason and not holds:
            made |= {"reason": reason, "message": message}
        return made

    if plan.unschedulable:
        return [row("PodScheduled", False, "Unschedulable", plan.unschedulable)]
    if plan.reason == "Evicted":
        return []
    mains = [c for c in plan.containers if not c.init]
    unready = " ".join(c.name for c in mains if not (c.runs and c.ready))
    undone = " ".join(c.name for c in plan.containers if c.init and c.state != "terminated")
    text = f"containers with unready status: [{unready}]"
    late = f"containers with incomplete status: [{undone}]"
    return [
        row("Initialized", not undone, "ContainersNotInitialized", late),
        row("Ready", plan.ready, "ContainersNotReady", text),
        row("ContainersReady", not unready, "ContainersNotReady", text),
        row("PodScheduled", True),
    ]


def _container(plan: ContainerPlan, born: datetime, now: datetime) -> Object:
    started = born
    if plan.started_ago_s is not None:
        started = now - timedelta(seconds=plan.started_ago_s)
    made: Object = {
        "name": plan.name,
        "image": plan.image,
        "imageID": "" if plan.reason == "ImagePullBackOff" else _image_id(plan.image),
        "ready": (plan.ready and plan.runs) or (plan.init and plan.state == "terminated"),
        "restartCount": plan.restarts,
        "state": _state(plan, started),
        "lastState": _last_state(plan, now),
    }
    if plan.reason not in {"ImagePullBackOff", "CreateContainerConfigError", "PodInitializing"}:
        made["containerID"] = "containerd://" + hashlib.sha256(plan.name.encode()).hexdigest()
    if not plan.init:
        made["started"] = plan.runs
    return made


def _image_id(image: str) -> str:
    repository = image.rpartition(":")[0] or image
    return f"{repository}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def _state(plan: ContainerPlan, started: datetime) -> Object:
    if plan.state == "running":
        return {"running": {"startedAt": objects.stamp(started)}}
    if plan.state == "terminated":
        ended: dict[str, Any] = {
            "exitCode": plan.exit_code, "reason": plan.reason or "Completed",
            "startedAt": objects.stamp(started), "finishedAt": objects.stamp(started),
        }  # fmt: skip
        return {"terminated": ended}
    waiting = {"reason": plan.reason}
    return {"waiting": waiting | ({"message": plan.message} if plan.message else {})}


def _last_state(plan: ContainerPlan, now: datetime) -> Object:
    if plan.last is None:
        return {}
    ended = now - timedelta(seconds=plan.last.ago_s)
    began = ended - timedelta(seconds=plan.last.lasted_s)
    return {
        "terminated": {
            "exitCode": plan.last.exit_code,
            "reason": plan.last.reason,
            "startedAt": objects.stamp(began),
            "finishedAt": objects.stamp(ended),
        }
    }
