"""A search domain of the pod keeps the endpoint's name from being resolved.

Meaning       With ndots:5 a name is first tried with each search domain behind it. When the server
              of such a domain answers SERVFAIL, images with musl (alpine) stop there and never
              ask for the name itself; Go's and glibc's resolvers go on.
Decided by    "Try again" (EAI_AGAIN) in the client's log for a name that resolves from here, while
              the plane's DNS pods are ready.
What to do    Set dnsConfig options ndots to 1 in the pod, end the host with a dot, or take the
              broken domain out of the nodes' resolv.conf.
False alarms  A name server that does not answer at all looks alike; then its pods are not ready, or
              a policy blocks port 53.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    OPERATOR_SIDE,
    ClusterFacts,
    DnsAnswer,
    Endpoint,
    ExecutionPlane,
    Failure,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    answered,
    check,
    failed,
    kubectl,
    ongoing,
    passed,
    quoted,
    skipped,
    undecided,
    written_address,
)

_MUSL = ("Try again", "Temporary failure in name resolution", "EAI_AGAIN")


@check(
    about=KeptnService,
    layer=Layer.RESOLVE,
    breaks="disconnected",
    explained_by=("dns-denied-by-policy",),
    explains=("endpoint-resolver-failing", "service-crash-looping"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    cluster: ClusterFacts | None,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
    outside: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
) -> Finding:
    """Musl's word for it, with everything else that could be behind it ruled out."""
    if endpoint is None or not endpoint.host or written_address(endpoint.host):
        return skipped(f"{service.name} has no endpoint whose name must be resolved.")
    if answered(local):
        return passed(f"{service.name} gets an answer from {endpoint.host}.")
    dns = [m for m in ongoing(logs, cause="dns") if any(word in m.text for word in _MUSL)]
    if not dns:
        return undecided(f"No lookup of {service.name} was seen to end with “Try again”.")
    if not isinstance(outside, DnsAnswer):
        return undecided(f"{endpoint.host} does not resolve from here either.")
    if cluster is None or not cluster.dns_pods_ready:
        return undecided(f"Whether the DNS pods of {service.plane} are ready could not be read.")
    target = f"{service.workload_kind.lower()}/{service.name}"
    patch = (
        '{"spec":{"template":{"spec":{"dnsConfig":{"options":[{"name":"ndots","value":"1"}]}}}}}'
    )
    return failed(
        f"{service.name} does not resolve {endpoint.host} though it exists and DNS is up in "
        f"{service.plane}: {quoted(dns[0])}. A search domain that answers with an error does that.",
        remedy="Set ndots to 1 for the pod, or remove the broken search domain from the nodes.",
        command=kubectl(plane, f"patch {target} -p '{patch}'", namespace=service.namespace),
    )
