"""A part of the control plane that events need keeps restarting.

Meaning       It is up between two restarts, so requests succeed now and fail then, and events are
              lost while it is away.
Decided by    A container that ended within the last ten minutes and at least three times, in a pod
              older than half an hour; its workload is ready now.
What to do    Read the log of the previous run; a liveness probe that fails (too little CPU), a
              database or broker that comes and goes are the usual reasons.
False alarms  Pods restart while an installation settles: young pods and old restarts do not count.
              Kills for memory are told by component-out-of-memory, parts that are down by checks of
              their own.
"""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.api import (
    Components,
    Container,
    ControlPlane,
    Finding,
    Layer,
    Workload,
    bites,
    check,
    crash_loops,
    failed,
    kubectl,
    last_end,
    live_pods,
    on_the_way,
    passed,
    undecided,
)

_SETTLED_S = 1800
_HABIT = 3


@check(
    about=ControlPlane,
    layer=Layer.DELIVERY,
    breaks="degraded",
    proven_by="state",
    explained_by=(
        "component-out-of-memory",
        "database-down",
        "messaging-down",
        "control-plane-component-missing",
    ),
    explains=("service-crash-looping",),
    since="0.1",
)
def judge(control_plane: ControlPlane, *, components: Components, taken_at: datetime) -> Finding:
    """Ready now, but not for long each time."""
    needed = on_the_way(components)
    if not needed:
        return undecided("None of the control plane's workloads was found.")
    hot = {w.name: loop for w in needed if w.ready and (loop := _loop(w, taken_at))}
    if not hot:
        return passed("No part of the control plane that is up keeps restarting.")
    names = tuple(hot)
    first, container = names[0], hot[names[0]]
    return failed(
        f"Container {container.name} of {first} keeps restarting: {container.restarts} times, the "
        f"last run ended with {last_end(container)}.",
        remedy="Read the log of the previous run; its last lines say why it ended.",
        command=kubectl(
            control_plane,
            f"logs deployment/{first} -c {container.name} --previous",
            namespace=control_plane.namespace,
        ),
        breaks="nothing" if bites(names)[0] == "nothing" else "as-declared",
        parts=names,
    )


def _loop(workload: Workload, now: datetime) -> Container | None:
    born = [pod.created_at for pod in live_pods(workload) if pod.created_at]
    if not born or (now - min(born)).total_seconds() < _SETTLED_S:
        return None
    for container in crash_loops(workload, now=now):
        if container.restarts >= _HABIT and container.last_reason != "OOMKilled":
            return container
    return None
