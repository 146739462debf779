"""A part of the control plane is killed for memory again and again.

Meaning       A container of the control plane needs more memory than its limit and is killed each
              time it starts or works; what needs it fails now and then, or always.
Decided by    The last end of its containers: OOMKilled, lately and more than once.
What to do    Raise the memory limit of that workload in the chart's values.
False alarms  A single kill of long ago is not told of.
"""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    Layer,
    bites,
    check,
    crash_loops,
    failed,
    felt,
    kubectl,
    on_the_way,
    passed,
    undecided,
)


@check(
    about=ControlPlane,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    explains=(
        "gateway-down",
        "auth-backend-down",
        "backend-down",
        "database-down",
        "messaging-down",
        "component-not-ready",
    ),
    since="0.1",
)
def judge(control_plane: ControlPlane, *, components: Components, taken_at: datetime) -> Finding:
    """Containers that keep stopping, of which memory was the end."""
    needed = on_the_way(components)
    if not needed:
        return undecided("None of the control plane's workloads was found.")
    killed = {
        workload.name: container
        for workload in needed
        for container in crash_loops(workload, now=taken_at, within_s=3600)
        if "OOMKilled" in (container.last_reason, container.reason)
    }
    if not killed:
        return passed("No part of the control plane keeps being killed for memory.")
    down = tuple(w.name for w in needed if w.name in killed and w.ready == 0)
    breaks, layer = bites(felt(components, down))
    names = down or tuple(killed)
    container = killed[names[0]]
    limit = f" of {container.limit_memory_mi} MiB" if container.limit_memory_mi else ""
    return failed(
        f"Container {container.name} of {names[0]} was killed {container.restarts} times for "
        f"using more memory than its limit{limit}.",
        remedy=f"Raise the memory limit of {names[0]}.",
        command=kubectl(
            control_plane,
            f"set resources deployment/{names[0]} -c {container.name} --limits=memory=512Mi",
            namespace=control_plane.namespace,
        ),
        breaks="degraded" if not down and bites(names)[0] != "nothing" else breaks,
        layer=layer if down else Layer.DELIVERY,
        parts=names,
    )
