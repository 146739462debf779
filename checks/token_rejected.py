"""The control plane refuses the token of a Keptn service.

Meaning       Requests arrive and are answered 401: the way is fine, the token is not.
Decided by    401 to the service's own request, or refusals in its log.
What to do    Compare the token with Secret keptn-api-token of the control plane and set it anew.
False alarms  401 without a token is how Keptn answers anybody; only the service's own request
              counts. A neighbour with a bad token can make good tokens fail with 429 or 500, never
              with 401.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    SdkHealth,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    registered,
    set_variable,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.AUTH,
    breaks="disconnected",
    explained_by=("token-missing", "token-differs", "token-encoded-twice", "token-secret-missing"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    local: LocalApiAnswer | None,
    health: SdkHealth | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """The service's own request now, else what its log tells."""
    if service.mode != "remote":
        return skipped(f"{service.name} does not call a remote control plane.")
    remedy = "Set the token that the control plane's Secret keptn-api-token holds."
    command = set_variable(plane, service, "KEPTN_API_TOKEN=<token>")
    if local is not None:
        status = local.registration.status
        if status == 401:
            summary = f"The control plane answers requests of {service.name} with 401."
            return failed(summary, remedy=remedy, command=command)
        if 200 <= status < 300 or status == 404:
            return passed(f"Requests of {service.name} are not refused: {status}.")
    told = ongoing(logs, cause="bad_token")
    if told:
        summary = f"The control plane refuses the token of {service.name}: {quoted(told[0])}."
        return failed(summary, remedy=remedy, command=command)
    if registered(health):
        return passed(f"{service.name} is registered, so its requests arrived.")
    return undecided(
        f"Whether the token of {service.name} is accepted was not seen from inside.",
        missing=("a look through the distributor's API proxy (port-forward), or its log",),
    )
