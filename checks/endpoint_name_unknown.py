"""The host of the endpoint does not exist for the Keptn service.

Meaning       The name is misspelt, was never created, or exists only elsewhere (split horizon), so
              every request ends before it has begun.
Decided by    "no such host" in the client's log, or the answer of a probe pod inside the plane. An
              unknown name on the operator's machine alone is a suspicion.
What to do    Correct the host in KEPTN_API_ENDPOINT, or create the record where the plane asks.
False alarms  A name that only the plane's name servers know is unknown to the operator; a service
              that was answered passes whatever the operator sees.
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
    SdkHealth,
    answered,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    registered,
    set_variable,
    skipped,
    suspected,
    undecided,
)

_UNKNOWN = ("name-unknown", "no-address", "name-invalid")


@check(
    about=KeptnService,
    layer=Layer.RESOLVE,
    breaks="disconnected",
    explained_by=("endpoint-cluster-internal", "gateway-not-exposed", "gateway-address-pending"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    plane: ExecutionPlane | None,
    local: LocalApiAnswer | None,
    health: SdkHealth | None,
    logs: tuple[PodLog, ...] | None,
    probe: PodProbe | None,
    outside: Annotated[DnsAnswer | Failure | None, OPERATOR_SIDE],
) -> Finding:
    """Inside evidence decides; the operator's own resolver only points."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    host = endpoint.host
    if answered(local):
        return passed(f"{service.name} gets an answer from {host}, so the name resolves.")
    remedy = f"Correct the host in KEPTN_API_ENDPOINT, or create a DNS record for {host}."
    url = f"{endpoint.scheme}://<right host>{endpoint.path}"
    command = set_variable(plane, service, f"KEPTN_API_ENDPOINT={url}")
    told = [m for m in ongoing(logs, cause="dns") if "no such host" in m.text]
    if told:
        summary = f"{service.name} cannot resolve {host}: {quoted(told[0])}."
        return failed(summary, remedy=remedy, command=command)
    if probe is not None and probe.resolve in _UNKNOWN:
        summary = f"A probe pod beside {service.name} cannot resolve {host} ({probe.resolve})."
        return failed(summary, remedy=remedy, command=command)
    if probe is not None and probe.resolve == "ok":
        return passed(f"A probe pod beside {service.name} resolves {host}.")
    if registered(health):
        return passed(f"{service.name} is registered, so its requests arrived.")
    if isinstance(outside, Failure) and outside.code in _UNKNOWN:
        summary = f"The name {host} does not exist as seen from this machine ({outside.code})."
        return suspected(summary, remedy=remedy, command=command)
    return undecided(
        f"Whether {service.name} can resolve {host} was not seen from inside.",
        missing=("the log of the client, or a probe pod (--probe-pod)",),
    )
