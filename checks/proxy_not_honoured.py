"""The plane needs an HTTP proxy that this client does not use.

Meaning       HTTP(S)_PROXY is set, but distributors up to 0.12 (and any client with OAuth) poll
              without it; 0.10 to 0.12 even register through it. The service looks alive and hears
              nothing.
Decided by    The proxy settings, the client's version, and its connections that get no answer.
What to do    Use a distributor from 0.13 on, or open the way to the gateway without a proxy.
False alarms  A host in NO_PROXY is called directly on purpose; a service that is answered needs no
              proxy.
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
    no_proxy_names,
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
    explained_by=("egress-denied-by-policy",),
    explains=(
        "endpoint-unreachable",
        "egress-filtered",
        "service-crash-looping",
        "source-ranges-exclude-plane",
        "node-port-blocked",
        "endpoint-port-refused",
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
    """Settings, behaviour of the version, and what became of its calls."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    proxy = service.https_proxy if endpoint.scheme == "https" else service.http_proxy
    if not proxy:
        return skipped(f"{service.name} is told of no proxy for {endpoint.scheme}.")
    if no_proxy_names(service.no_proxy, endpoint.host):
        return skipped(f"{endpoint.host} is in NO_PROXY of {service.name}.")
    if service.behaviour.proxy_on_poll:
        return skipped(f"{service.name} is of a version that uses its proxy.")
    if answered(local):
        return passed(f"{service.name} gets an answer without its proxy.")
    told = ongoing(logs, cause=("tcp_timeout", "tcp_refused", "tcp_reset", "dns"))
    unreached = local is not None and local.origin == "distributor"
    if not told and not unreached:
        return undecided(f"Whether {service.name} gets through without its proxy was not seen.")
    half = " (it registers through it)" if service.behaviour.proxy_on_registration else ""
    seen = f": {quoted(told[0])}" if told else ""
    return failed(
        f"{service.name} is told to use the proxy {proxy}, but client "
        f"{service.client_version} polls without it{half} and gets no answer{seen}.",
        remedy="Use a distributor from 0.13 on, which uses the proxy for everything.",
        command=read_log(plane, service),
    )
