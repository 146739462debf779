"""The control plane's cluster has no room for one more of its pods.

Meaning       All that runs, runs. But a pod that is replaced while the old one still stands (a
              rollout, an upgrade, a node that is drained) finds no node and stays pending.
Decided by    What the ready nodes can allocate less what all pods request, against the largest pod
              of the control plane; and against the sum that the chart of this Keptn version
              requests.
What to do    Add a node, or switch off optional services, before the next upgrade.
False alarms  It is a note and no fault: nothing here says that a running system is broken. Without
              the right to list all pods nothing is said.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    Layer,
    Nodes,
    Pod,
    check,
    control_plane_sums,
    failed,
    kubectl,
    live_pods,
    passed,
    undecided,
)


@check(about=ControlPlane, layer=Layer.WORKLOAD, severity="warning", proven_by="state", since="0.1")
def judge(control_plane: ControlPlane, *, nodes: Nodes, components: Components) -> Finding:
    """Allocatable minus requested, against the largest that could come."""
    ready = [node for node in nodes.nodes if node.ready]
    cpu = sum(node.allocatable_cpu_m or 0 for node in ready)
    memory = sum(node.allocatable_memory_mi or 0 for node in ready)
    if not cpu or nodes.requested_cpu_m is None or nodes.requested_memory_mi is None:
        return undecided(
            "What all pods of the cluster request could not be read.", missing=("list pods",)
        )
    free_cpu, free_memory = cpu - nodes.requested_cpu_m, memory - nodes.requested_memory_mi
    pods = [pod for workload in components.found for pod in live_pods(workload)]
    largest_cpu = max((_cpu(pod) for pod in pods), default=0)
    largest_memory = max((_memory(pod) for pod in pods), default=0)
    room = f"{free_cpu}m CPU and {free_memory} MiB are free on {len(ready)} ready nodes"
    if free_cpu >= largest_cpu and free_memory >= largest_memory:
        return passed(f"{room}.")
    sums = control_plane_sums(components.keptn_version)
    all_of_it = (
        f" All of Keptn {components.keptn_version} requests {sums.requests.cpu_m}m and "
        f"{sums.requests.memory_mi} MiB."
        if sums
        else ""
    )
    return failed(
        f"{room}; the largest pod of the control plane requests {largest_cpu}m and "
        f"{largest_memory} MiB, so none could be replaced while it runs.{all_of_it}",
        remedy="Add a node, or switch off optional services, before the next upgrade.",
        command=kubectl(control_plane, "describe nodes"),
        severity="info",
    )


def _cpu(pod: Pod) -> int:
    return sum(c.request_cpu_m or 0 for c in pod.containers if not c.init)


def _memory(pod: Pod) -> int:
    return sum(c.request_memory_mi or 0 for c in pod.containers if not c.init)
