"""Why a workload does not run, in words: shared by every check that meets one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from keptn_doctor.model.kube_facts import Components, Container, NodeState, Pod, Workload

_LIMIT = re.compile(r"quota|must specify|(?:maximum|minimum) \S+ (?:usage|request)", re.IGNORECASE)
PULL_REASONS = (
    "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
    "RegistryUnavailable", "ImageInspectError",
)  # fmt: skip


def component(components: Components, *names: str) -> Workload | None:
    """The control-plane workload of one of these names (they changed over the versions)."""
    return next((w for w in components.found if w.name in names), None)


def live_pods(workload: Workload) -> tuple[Pod, ...]:
    """Pods that are not on their way out."""
    return tuple(pod for pod in workload.pods if pod.deleted_at is None)


def containers(workload: Workload, name: str = "") -> tuple[Container, ...]:
    """The containers of all live pods, or those of one name; init containers included."""
    return tuple(c for pod in live_pods(workload) for c in pod.containers if name in ("", c.name))


def is_running(workload: Workload, name: str) -> bool:
    """Whether any pod has a running container of this name."""
    return any(c.state == "running" for c in containers(workload, name))


def pull_failures(workload: Workload) -> tuple[Container, ...]:
    """Containers whose image the node does not get."""
    return tuple(c for c in containers(workload) if c.reason in PULL_REASONS)


def crash_loops(
    workload: Workload, *, now: datetime, within_s: float = 600
) -> tuple[Container, ...]:
    """Containers that keep stopping: backing off now, or ended twice or more and lately.

    Restarts of long ago are no fault (an installation restarts pods until their dependencies are
    up), so only a recent end counts.
    """
    return tuple(c for c in containers(workload) if _keeps_stopping(c, now, within_s))


def _keeps_stopping(container: Container, now: datetime, within_s: float) -> bool:
    if container.reason == "CrashLoopBackOff":
        return True
    ended = container.last_finished_at
    lately = ended is not None and (now - ended).total_seconds() <= within_s
    return lately and container.restarts >= 2


def last_end(container: Container) -> str:
    """How the last run of a container ended: "exit code 1", "killed for using too much memory"."""
    reason = container.last_reason or container.reason
    if "OOMKilled" in (container.last_reason, container.reason):
        return "killed for using more memory than its limit"
    code = container.last_exit_code if container.last_exit_code is not None else container.exit_code
    if code is not None:
        return f"exit code {code}"
    return reason or "for an unknown reason"


def misconfigured(workload: Workload) -> tuple[Container, ...]:
    """Containers that wait for a Secret or ConfigMap, or a key of one, that is not there."""
    return tuple(
        c
        for c in containers(workload)
        if c.reason in ("CreateContainerConfigError", "CreateContainerError")
    )


def fails_on_processor(workload: Workload, foreign: Mapping[str, str], *, now: datetime) -> bool:
    """Whether all pods are on nodes that are not amd64, and end at once or find no image.

    ``foreign`` are those nodes. Exit codes 1 and 255 are what "exec format error" ends with.
    """
    pods = live_pods(workload)
    if not pods or not all(pod.node in foreign for pod in pods):
        return False
    ended = crash_loops(workload, now=now)
    at_once = any(c.last_exit_code in (1, 255) and c.last_reason != "OOMKilled" for c in ended)
    return at_once or any("platform" in c.message for c in pull_failures(workload))


def node_trouble(node: NodeState) -> str:
    """Why the cluster gives a node no new pods: "is not ready"; "" for a node that is fine."""
    if not node.ready:
        return "is not ready"
    short = {
        "MemoryPressure": "memory",
        "DiskPressure": "disk space",
        "PIDPressure": "process ids",
    }
    pressed = [short[c.type] for c in node.conditions if c.type in short and c.status == "True"]
    return f"is short of {' and '.join(pressed)}" if pressed else ""


def refused_creation(workload: Workload) -> str:
    """Why the API server refuses the workload's pods, in its words; "" when it does not.

    The condition lasts as long as the refusal; its event is forgotten after an hour.
    """
    lasting = [
        c.message for c in workload.conditions if c.type == "ReplicaFailure" and c.status == "True"
    ]
    events = [e.message for e in workload.events if e.reason == "FailedCreate"]
    missing = len(live_pods(workload)) < (workload.desired or 0)
    return next((text.rstrip(".") for text in (*lasting, *events) if text and missing), "")


def is_limit(refusal: str) -> bool:
    """Whether the refusal is that of a ResourceQuota or LimitRange, not of a security policy."""
    return _LIMIT.search(refusal) is not None


def unscheduled(workload: Workload) -> str:
    """What the scheduler says of the pods that it cannot place; "" when it placed all."""
    said = [
        condition.message
        for pod in live_pods(workload)
        for condition in pod.conditions
        if condition.type == "PodScheduled" and condition.status == "False"
    ]
    return next((text.rstrip(".") for text in said if text), "not scheduled" if said else "")


def waits_for_volume(refusal: str) -> bool:
    """Whether the scheduler's reason is a volume claim, not the room on the nodes."""
    return "persistentvolumeclaim" in refusal.lower()


def why_not_ready(workload: Workload) -> str:
    """One clause on what keeps a workload from being ready, without a full stop."""
    if workload.desired == 0:
        return "it is scaled to zero"
    pods = live_pods(workload)
    if not pods:
        reasons = [c.message or c.reason for c in workload.conditions if c.status != "True"]
        blocked = [e.message for e in workload.events if e.reason == "FailedCreate"]
        told = next(iter((*blocked, *reasons)), "")
        return f"it has no pod ({told.rstrip('.')})" if told else "it has no pod"
    return next((text for text in map(_pod_trouble, pods) if text), "no pod of it is ready")


def lacks_free_port(pod: Pod) -> bool:
    """Whether no node has the host port free that the pod wants."""
    waiting = [c.message for c in pod.conditions if c.type == "PodScheduled" and c.status != "True"]
    told = [e.message for e in pod.events if pod.phase == "Pending"]
    return any("free port" in text for text in (*waiting, *told))


def _pod_trouble(pod: Pod) -> str:
    if pod.reason == "Evicted":
        return f"pod {pod.name} was evicted ({pod.message.rstrip('.')})"
    for condition in pod.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"pod {pod.name} is not scheduled ({condition.message.rstrip('.')})"
    for container in pod.containers:
        if container.init and container.state in ("running", "waiting") and not container.ready:
            return f"pod {pod.name} is still in its init container {container.name}"
        if container.state == "waiting" and container.reason not in ("", "ContainerCreating"):
            ended = f", {last_end(container)}" if container.reason == "CrashLoopBackOff" else ""
            return f"container {container.name} of pod {pod.name} waits: {container.reason}{ended}"
    unready = [c.name for c in pod.containers if not c.ready and not c.init]
    if unready:
        return f"container {unready[0]} of pod {pod.name} is not ready"
    return ""
