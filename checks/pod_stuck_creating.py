"""The pod of a Keptn service has a node, and its containers are never made.

Meaning       The kubelet cannot prepare the pod: a volume's ConfigMap or Secret does not exist, a
              disk cannot be attached, or the network of the pod cannot be set up.
Decided by    Containers that wait in ContainerCreating or PodInitializing for more than a minute,
              and the kubelet's events (FailedMount, FailedAttachVolume, FailedCreatePodSandBox).
What to do    Create what the event misses, or mend the node's storage or network plugin.
False alarms  Large images take minutes to pull; without such an event nothing is said. A variable
              from a Secret that does not exist is another matter: see token-secret-missing.
"""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    KubeEvent,
    Layer,
    Pod,
    Workload,
    check,
    cluster_of,
    failed,
    is_running,
    kubectl,
    live_pods,
    missing_objects,
    passed,
    undecided,
)

_NETWORK = ("FailedCreatePodSandBox", "NetworkNotReady")
_FAILURES = ("FailedMount", "FailedAttachVolume", *_NETWORK)
_PREPARING = ("ContainerCreating", "PodInitializing")
_SETTLING_S = 60


@check(
    about=KeptnService,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    explains=("not-registered", "heartbeat-stale"),
    since="0.1",
)
def judge(
    service: KeptnService, *, workload: Workload, plane: ExecutionPlane | None, taken_at: datetime
) -> Finding:
    """The kubelet's own words."""
    pods = live_pods(workload)
    if not pods:
        return undecided(f"{service.name} has no pod that could be prepared.")
    found = [(pod, event) for pod in pods if _is_stuck(pod, taken_at) and (event := _failure(pod))]
    if not found:
        return passed(f"No pod of {service.name} waits for its volumes or network.")
    pod, event = found[0]
    alive = is_running(workload, service.container)
    return failed(
        f"Pod {pod.name} of {service.name} cannot be prepared on {pod.node}: "
        f"{event.message.rstrip('.')}.",
        remedy="Create what is missed there, or mend the node's storage or network plugin.",
        command=kubectl(plane, f"describe pod {pod.name}", namespace=service.namespace),
        severity="warning" if alive else "error",
        breaks="nothing" if alive else "as-declared",
        at_fault=_at_fault(pod, event, cluster_of(service, plane)),
    )


def _at_fault(pod: Pod, event: KubeEvent, cluster: str) -> tuple[str, ...]:
    if event.reason in _NETWORK:
        return (f"pod network of node {pod.node} of {cluster}",)
    return missing_objects(event.message, namespace=pod.namespace, cluster=cluster)


def _is_stuck(pod: Pod, now: datetime) -> bool:
    waits = bool(pod.containers) and all(c.reason in _PREPARING for c in pod.containers)
    created = pod.created_at
    return waits and (created is None or (now - created).total_seconds() > _SETTLING_S)


def _failure(pod: Pod) -> KubeEvent | None:
    return next((e for e in pod.events if e.reason in _FAILURES and e.message), None)
