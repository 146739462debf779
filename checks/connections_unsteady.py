"""Some connections of a Keptn service fail, and others work.

Meaning       The way to the gateway breaks now and then: one of several load balancer nodes or
              addresses is bad, a NAT or conntrack table overflows, a name server fails at times.
              Heartbeats and polls are lost; a client from 0.14 on ends itself after ten in a row,
              an SDK service after ten failed polls in its lifetime.
Decided by    Connection or name failures that keep coming in the client's log (three at least, the
              last one just now), while its own requests are answered.
What to do    Look at every address of the host and every node behind it by itself; then at NAT and
              firewall on the way out of the plane.
False alarms  A few failures while the gateway was replaced end by themselves: only those of
              the last minute count.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    address,
    answered,
    check,
    failed,
    passed,
    quoted,
    read_log,
    skipped,
    troubles,
    undecided,
)

_OFTEN = 3
_JUST_NOW_S = 60.0  # a client beats and polls every ten seconds at most


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="degraded",
    explained_by=(
        "control-plane-slow",
        "gateway-down",
        "gateway-upstream-stale",
        "backend-down",
        "database-down",
        "auth-backend-down",
        "component-keeps-restarting",
        "component-out-of-memory",
    ),
    explains=("heartbeat-stale", "service-crash-looping"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """What works is asked for; what fails is in the log of the present run."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    if logs is None and local is None:
        return undecided(f"Neither the log nor a request of {service.name} was seen.")
    present = tuple(log for log in logs or () if not log.previous)
    told = troubles(
        present,
        event=("heartbeat", "poll", "send"),
        cause=("tcp_timeout", "tcp_refused", "tcp_reset", "dns"),
        within_s=_JUST_NOW_S,
    )
    often = [match for match in told if match.count >= _OFTEN]
    if not often:
        return passed(f"Connections of {service.name} do not keep failing.")
    if not answered(local):
        return undecided(
            f"Whether any connection of {service.name} works was not seen.",
            missing=("a look through the distributor's API proxy (port-forward)",),
        )
    return failed(
        f"Some connections of {service.name} to {address(endpoint)} fail, and others work: "
        f"{quoted(often[0])}.",
        remedy=f"Try every address of {endpoint.host} and every node behind it by itself, then the "
        f"NAT and firewall of {service.plane}.",
        command=read_log(plane, service),
    )
