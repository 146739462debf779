"""The HTTP proxy on the way out of the execution plane refuses or fails.

Meaning       The client uses its proxy, and the proxy does not let it through: it wants a password,
              forbids the host or port, or is not there.
Decided by    The client's log: "proxyconnect", "Proxy Authentication Required".
What to do    Let the proxy pass CONNECT to the gateway's host and port, or put the host into
              NO_PROXY.
False alarms  None known: the line names the proxy.
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
    answered,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    read_log,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    explains=(
        "endpoint-unreachable",
        "endpoint-port-refused",
        "service-crash-looping",
        "egress-filtered",
    ),
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
    """The client tells it by itself."""
    proxy = service.https_proxy or service.http_proxy
    if endpoint is None or not proxy:
        return skipped(f"{service.name} is told of no proxy.")
    if answered(local):
        return passed(f"{service.name} gets an answer from {endpoint.host}.")
    told = ongoing(logs, cause="egress_proxy")
    if not told:
        return undecided(f"No request of {service.name} was seen to fail at its proxy.")
    return failed(
        f"The proxy {proxy} does not let {service.name} through: {quoted(told[0])}.",
        remedy=f"Let the proxy pass {endpoint.host}:{endpoint.port}, or add it to NO_PROXY.",
        command=read_log(plane, service),
    )
