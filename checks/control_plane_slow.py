"""The control plane answers more slowly than its callers wait.

Meaning       A backend behind the gateway takes longer than the gateway (60 s), the router (often
              30 s) or the client (5 or 30 s) has patience: a Git upstream that hangs, or a CPU
              limit that is too tight.
Decided by    Time-outs in the gateway's log towards a backend that is up and at its right address,
              or 504 from a control plane whose pods are ready.
What to do    See what the backend waits for: the Git upstream, MongoDB, or its CPU limit.
False alarms  Time-outs towards an address that no Service has are a stale gateway:
              gateway-upstream-stale.
"""

from __future__ import annotations

import re

from keptn_doctor.api import (
    ComponentServices,
    ControlPlane,
    Finding,
    GatewayAnswers,
    GatewayLog,
    HttpAnswer,
    Layer,
    check,
    failed,
    kubectl,
    passed,
    skipped,
    undecided,
)

_TIMED_OUT = re.compile(
    r"upstream timed out[^:]*: http://(?P<ip>[^:/]+)\S*(?: \((?P<times>\d+) times\))?"
)
_SEVERAL = 3  # one or two come of a restart


@check(
    about=ControlPlane,
    layer=Layer.HTTP,
    breaks="degraded",
    proven_by="state",
    explained_by=("gateway-upstream-stale", "backend-down", "database-down", "auth-backend-down"),
    explains=(
        "endpoint-unreachable",
        "egress-filtered",
        "service-crash-looping",
        "heartbeat-stale",
        "source-ranges-exclude-plane",
        "node-port-blocked",
    ),
    since="0.1",
)
def judge(
    control_plane: ControlPlane,
    *,
    log: GatewayLog | None,
    services: ComponentServices | None,
    answers: tuple[GatewayAnswers, ...] | None,
) -> Finding:
    """The gateway's own time-outs first, then 504 towards this machine."""
    if log is None and answers is None:
        return undecided("Neither the gateway's log nor its answers could be seen.")
    here = {s.cluster_ip: s for s in (services.services if services else ())}
    slow = [
        here[found["ip"]]
        for text in (log.upstream_errors if log else ())
        if (found := _TIMED_OUT.search(text))
        and found["ip"] in here
        and int(found["times"] or 1) >= _SEVERAL
    ]
    up = [service for service in slow if service.ready]
    if slow and not up:
        return skipped(f"{slow[0].name}, which the gateway waits for, has no ready pod.")
    late = [
        item.answer
        for fact in answers or ()
        for item in fact.routes
        if isinstance(item.answer, HttpAnswer) and item.answer.status == 504
    ]
    if not up and not (late and any(fact.reached == "keptn" for fact in answers or ())):
        return passed("No answer of the control plane was seen to come too late.")
    who = up[0].name if up else "a backend"
    return failed(
        f"{who} is up but answers more slowly than the gateway waits"
        + (f" ({len(up)} kinds of requests timed out)." if up else " (504)."),
        remedy=f"See what {who} waits for: its Git upstream, MongoDB, or its CPU limit.",
        command=kubectl(control_plane, "top pods --containers", namespace=control_plane.namespace),
    )
