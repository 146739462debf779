"""The endpoint's name means something else to the execution plane than to this machine.

Meaning       Split horizon: the name is in a private zone, or behind a VPN's resolver. Here it
              resolves, in the plane it does not, or to another address.
Decided by    "no such host" in the client's log (or of a probe pod) for a name that resolves here;
              or different addresses, where the plane's is not the gateway's.
What to do    Forward the zone in the plane's DNS (CoreDNS: a server block with "forward"), or use a
              name that is public.
False alarms  Names of load balancers have several addresses; different ones of the gateway's are
              fine.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    OPERATOR_SIDE,
    DnsAnswer,
    Endpoint,
    ExecutionPlane,
    Failure,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    PodProbe,
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

_UNKNOWN = ("name-unknown", "no-address")


@check(
    about=KeptnService,
    layer=Layer.RESOLVE,
    breaks="disconnected",
    explained_by=("endpoint-cluster-internal", "dns-denied-by-policy"),
    explains=("endpoint-name-unknown", "service-crash-looping"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
    probe: PodProbe | None,
    outside: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
) -> Finding:
    """Two vantages, one name."""
    if endpoint is None or not endpoint.host or written_address(endpoint.host):
        return skipped(f"{service.name} has no endpoint whose name must be resolved.")
    host = endpoint.host
    if answered(local):
        return passed(f"{service.name} gets an answer from {host}.")
    if not isinstance(outside, DnsAnswer):
        return undecided(f"{host} was not resolved from here, so there is nothing to compare with.")
    told = [m for m in ongoing(logs, cause="dns") if "no such host" in m.text]
    unknown = probe is not None and probe.resolve in _UNKNOWN
    if not told and not unknown:
        return undecided(
            f"What {host} resolves to for {service.name} was not seen.",
            missing=("the log of the client, or a probe pod (--probe-pod)",),
        )
    seen = quoted(told[0]) if told else "a probe pod was told that it does not exist"
    return failed(
        f"{host} resolves to {outside.addresses[0]} here, but is unknown in {service.plane}: "
        f"{seen}.",
        remedy=f"Let the DNS of {service.plane} know {host}: forward its zone, or make it public.",
        command=kubectl(plane, "get configmap coredns -o yaml", namespace="kube-system"),
    )
