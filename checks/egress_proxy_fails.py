"""The HTTP proxy on the way out of the execution plane refuses or fails.

Meaning       The client uses its proxy, and the proxy does not let it through: it wants a password,
              forbids the host or port, or is not there.
Decided by    The client's log: "proxyconnect", "Proxy Authentication Required"; or, of plain
              requests, which a proxy answers in its own name, a refusal that is not Keptn's while
              Keptn itself answers elsewhere.
What to do    Let the proxy pass CONNECT to the gateway's host and port, or put the host into
              NO_PROXY.
False alarms  A firewall in front of Keptn that refuses this plane's address alone would look the
              same through a proxy; the page in the log tells them apart.
"""

from __future__ import annotations

import re

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    Finding,
    GatewayAnswers,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    check,
    cluster_of,
    failed,
    keptn_answered,
    no_proxy_names,
    ongoing,
    passed,
    quoted,
    read_log,
    skipped,
    undecided,
)

# net/http/transport.go: a CONNECT that is refused becomes an error of the transport, which is the
# reason phrase alone; the answer of a server would be told with its status.
_NO_STATUS = re.compile(
    r'\\?": (?:Forbidden|Method Not Allowed|Bad Gateway|Service Unavailable|Gateway Timeout)"?$'
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
        "answered-by-something-else",
        "not-registered",
        "heartbeat-refused-by-filter",
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
    answers: GatewayAnswers | None,
) -> Finding:
    """The client tells it by itself."""
    if endpoint is None or not (service.https_proxy or service.http_proxy):
        return skipped(f"{service.name} is told of no proxy.")
    proxy = service.https_proxy if endpoint.scheme == "https" else service.http_proxy
    proxy = proxy or service.https_proxy or service.http_proxy
    at_fault = (f"proxy {proxy} of {cluster_of(service, plane)}",)
    refused = _refused_in_its_name(service, endpoint, local, logs, answers)
    if refused:
        return failed(
            f"Requests of {service.name} go through the proxy {proxy}, and are refused there: "
            f"{refused}.",
            remedy=f"Let the proxy pass {endpoint.host}:{endpoint.port}, or add it to NO_PROXY.",
            command=read_log(plane, service),
            at_fault=at_fault,
        )
    if keptn_answered(local):
        return passed(f"{service.name} gets an answer from {endpoint.host}.")
    told = ongoing(logs, cause="egress_proxy")
    if not told:
        return undecided(f"No request of {service.name} was seen to fail at its proxy.")
    return failed(
        f"The proxy {proxy} does not let {service.name} through: {quoted(told[0])}.",
        remedy=f"Let the proxy pass {endpoint.host}:{endpoint.port}, or add it to NO_PROXY.",
        command=read_log(plane, service),
        at_fault=at_fault,
    )


def _refused_in_its_name(
    service: KeptnService,
    endpoint: Endpoint,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
    answers: GatewayAnswers | None,
) -> str:
    """What a proxy answers instead of Keptn; "" when the client does not call through one."""
    secure = endpoint.scheme == "https"
    proxied = service.behaviour.proxy_on_poll and (
        service.https_proxy if secure else service.http_proxy
    )
    if not proxied or no_proxy_names(service.no_proxy, endpoint.host):
        return ""
    if answers is None or answers.reached != "keptn":
        return ""
    if secure:
        bare = [m for m in ongoing(logs) if _NO_STATUS.search(m.text)]
        return quoted(bare[0]) if bare else ""
    if local is not None:
        answer = local.registration
        foreign = local.origin == "other" and answer.status in (403, 407, 502, 503, 504)
        return f"{answer.status} {answer.title or answer.reason}".strip() if foreign else ""
    told = ongoing(logs, cause=("forbidden", "backend_down"))
    return quoted(told[0]) if told else ""
