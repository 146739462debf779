"""The container of a Keptn service keeps stopping.

Meaning       The client that talks to the control plane, the service that does the work, or a
              container that has to end well before them, fails again and again; in between,
              heartbeats and events are lost.
Decided by    A container in CrashLoopBackOff, or restarted at least twice and last within ten
              minutes.
What to do    Read the log of the previous run. A distributor from 0.12 on ends itself when it
              cannot register, and from 0.14 on when ten heartbeats fail: then the network or the
              token is the cause and the restart its effect.
False alarms  Restarts of long ago do not count: pods restart during an installation until what
              they depend on is up.
"""

from __future__ import annotations

from datetime import datetime

from keptn_doctor.api import (
    Breaks,
    Container,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    Workload,
    check,
    crash_loops,
    failed,
    is_running,
    kubectl,
    last_end,
    passed,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.WORKLOAD,
    breaks="disconnected",
    proven_by="state",
    explained_by=(
        "variable-malformed",
        "endpoint-malformed",
        "endpoint-cluster-internal",
        "endpoint-name-unknown",
        "endpoint-resolver-failing",
        "endpoint-port-refused",
        "endpoint-unreachable",
        "certificate-expired",
        "certificate-untrusted",
        "scheme-port-mismatch",
        "api-path-wrong",
        "answered-by-something-else",
        "gateway-not-exposed",
        "gateway-address-pending",
        "gateway-down",
        "auth-backend-down",
        "token-missing",
        "token-malformed",
        "token-differs",
        "token-rejected",
        "backend-down",
        "database-down",
        "control-plane-component-missing",
    ),
    since="0.1",
)
def judge(
    service: KeptnService, *, workload: Workload, plane: ExecutionPlane | None, taken_at: datetime
) -> Finding:
    """Look for containers that end again and again."""
    loops = crash_loops(workload, now=taken_at)
    if not loops:
        if not workload.pods:
            return undecided(f"{workload.name} has no pod that could restart.")
        return passed(f"No container of {workload.name} keeps stopping.")
    client = [c for c in loops if c.name == service.container]
    loop = (client or loops)[0]
    target = f"{workload.workload_kind.lower()}/{workload.name}"
    return failed(
        f"Container {loop.name} of {workload.name} keeps stopping: {loop.restarts} restarts, "
        f"the last run ended with {last_end(loop)}.",
        remedy="Read the log of the previous run; its last lines say why it ended.",
        command=kubectl(
            plane, f"logs {target} -c {loop.name} --previous", namespace=workload.namespace
        ),
        breaks=_breaks(service, workload, client, before=loop.init),
    )


def _breaks(
    service: KeptnService, workload: Workload, client: list[Container], *, before: bool
) -> Breaks:
    """Without a running client nothing is connected; else work is lost now and then."""
    if (client or before) and not is_running(workload, service.container):
        return "disconnected"
    return "degraded"
