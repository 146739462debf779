"""The control plane's cluster is smaller than the documentation asks for.

Meaning       Keptn's documentation asks for 2 vCPU and 4 GB for a control plane. Below that, pods
              may not be scheduled, or be killed for memory, sooner or later.
Decided by    What the ready nodes can allocate, against the documented minimum.
What to do    Add a node or use a larger one.
False alarms  A node allocates less than it has, so slightly under is only a note; nothing here says
              that a running system is broken.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    Finding,
    Layer,
    Nodes,
    check,
    control_plane_size,
    failed,
    kubectl,
    passed,
    undecided,
)

_SLIGHTLY = 0.8  # the kubelet and the system keep up to a fifth of a small node


@check(about=ControlPlane, layer=Layer.WORKLOAD, severity="warning", proven_by="state", since="0.1")
def judge(control_plane: ControlPlane, *, nodes: Nodes) -> Finding:
    """Sum the ready nodes and compare."""
    ready = [node for node in nodes.nodes if node.ready]
    cpu = sum(node.allocatable_cpu_m or 0 for node in ready)
    memory = sum(node.allocatable_memory_mi or 0 for node in ready)
    if not cpu or not memory:
        return undecided("The capacity of the control plane's nodes could not be read.")
    size = control_plane_size()
    want_cpu, want_memory = (size.vcpu or 2) * 1000, (size.memory_gb or 4) * 1000**3 // 1024**2
    have = f"{cpu / 1000:.1f} CPU and {memory / 1024:.1f} GiB on {len(ready)} ready nodes"
    share = min(cpu / want_cpu, memory / want_memory)
    if share >= 1:
        return passed(f"The control plane's cluster allocates {have}.")
    return failed(
        f"The control plane's cluster allocates {have}; the documentation asks for "
        f"{size.vcpu} vCPU and {size.memory_gb} GB.",
        remedy="Add a node, or use a larger one, when pods stay pending or are killed.",
        command=kubectl(control_plane, "describe nodes"),
        severity="info" if share >= _SLIGHTLY else "warning",
    )
