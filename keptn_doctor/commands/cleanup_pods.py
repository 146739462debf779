"""Probe pods that a killed run left, in one cluster."""

from __future__ import annotations

from keptn_doctor.commands.outcome import Outcome
from keptn_doctor.model.failure import Failure
from keptn_doctor.probes import kube_objects as k8s
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.probe_pod_manifest import RUN_LABEL
from keptn_doctor.probes.workloads import scoped
from keptn_doctor.session import Session
from keptn_doctor.targets import ClusterTarget


async def remove_pods(session: Session, target: ClusterTarget, *, dry_run: bool) -> Outcome:
    """Remove those with the label of a run, or only find them."""
    kube = await session.kube(target.name)
    if isinstance(kube, Failure):
        return Outcome(
            not_searched=(f"{target.name} was not searched: {kube.detail or kube.code}",)
        )
    removed: list[str] = []
    remaining: list[str] = []
    not_searched: list[str] = []
    for namespace in target.namespaces or ("",):
        try:
            pods = await kube.list(
                scoped("/api/v1", "pods", namespace), k8s.Pod, {"labelSelector": RUN_LABEL}
            )
        except WorldFault as fault:
            where = f"{target.name}{f', namespace {namespace}' if namespace else ''}"
            not_searched.append(f"{where} was not searched: {_why(fault.failure)}")
            continue
        for pod in pods:
            problem = "" if dry_run else await _remove(kube, pod)
            line = f"pod {pod.namespace}/{pod.name} in {target.name}"
            (remaining if problem else removed).append(line + problem)
    return Outcome(
        removed=tuple(removed), remaining=tuple(remaining), not_searched=tuple(not_searched)
    )


async def _remove(kube: KubeClient, pod: k8s.Pod) -> str:
    """Why the pod is still there, "" when it is not."""
    try:
        await kube.delete_pod(pod.namespace, pod.name, uid=pod.uid)
    except WorldFault as fault:
        if fault.failure.code == "not-found":
            return ""
        return f" was not removed: {_why(fault.failure)}"
    return ""


def _why(failure: Failure) -> str:
    return failure.detail or failure.code
