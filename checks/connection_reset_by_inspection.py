"""Something on the way out of the execution plane breaks or re-signs TLS connections.

Meaning       A firewall that inspects TLS, or filters by the name in the handshake, resets
              connections from the plane, or answers with a certificate of its own authority.
Decided by    Resets after the connection was made, in the client's log, while this machine's
              handshake with the same endpoint succeeds; or a certificate that is refused inside
              while everybody else is shown a good one.
What to do    Exempt the gateway's host from inspection, or trust the firewall's authority.
False alarms  A service mesh whose sidecar resets has checks of its own.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    Failure,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    NetworkPolicies,
    PodLog,
    TlsSession,
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
    layer=Layer.TLS,
    breaks="disconnected",
    explained_by=(
        "egress-denied-by-policy",
        "client-certificate-required",
        "gateway-upstream-stale",
    ),
    explains=(
        "endpoint-unreachable",
        "certificate-untrusted",
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
    session: TlsSession | Failure | None,
    policies: NetworkPolicies | None,
    logs: tuple[PodLog, ...] | None,
    local: LocalApiAnswer | None,
) -> Finding:
    """What happens to the plane's handshakes and not to ours."""
    if endpoint is None or endpoint.scheme != "https":
        return skipped(f"{service.name} is not told to use https.")
    if answered(local):
        return passed(f"{service.name} gets an answer from {endpoint.host}.")
    if policies is not None and any("sidecar" in text for text in policies.mesh):
        return skipped(f"Pods of {service.plane} have a mesh sidecar, which comes first.")
    told = ongoing(logs, cause=("tcp_reset", "tls_protocol"))
    remedy = f"Exempt {endpoint.host} from TLS inspection on the way out of {service.plane}."
    if not isinstance(session, TlsSession):
        return undecided(f"No handshake with {endpoint.host} succeeded from here to compare with.")
    if told:
        return failed(
            f"Connections of {service.name} to {endpoint.host} are broken during the handshake, "
            f"and this machine's are not: {quoted(told[0])}.",
            remedy=remedy,
            command=read_log(plane, service),
        )
    refused = ongoing(logs, cause="tls_untrusted")
    if refused and not session.problem:
        return failed(
            f"{service.name} is shown a certificate that it refuses, while this machine is shown "
            f"a good one at {endpoint.host}: {quoted(refused[0])}.",
            remedy=f"{remedy[:-1]}, or use an authority that the pod's image knows.",
            command=read_log(plane, service),
        )
    return undecided(f"No handshake of {service.name} was seen to be broken.")
