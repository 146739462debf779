"""The Keptn service has no API token.

Meaning       KEPTN_API_TOKEN is unset or empty, so requests go out without x-token and are refused
              with 401.
Decided by    The variable as the pod gets it.
What to do    Set the token; with the Helm charts remoteControlPlane.api.token or .tokenSecretName.
False alarms  With OAuth switched on completely no token is needed; in NATS mode neither.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    check,
    failed,
    passed,
    set_variable,
    skipped,
    undecided,
)


@check(about=KeptnService, layer=Layer.AUTH, breaks="disconnected", proven_by="state", since="0.1")
def judge(service: KeptnService, *, plane: ExecutionPlane | None) -> Finding:
    """Settings alone decide."""
    token = service.token
    if service.mode != "remote":
        return skipped(f"{service.name} does not call a remote control plane.")
    if service.oauth.enabled:
        return skipped(f"{service.name} uses OAuth.")
    if token.source == "unreadable":
        return undecided(
            f"The token of {service.name} could not be read from {token.reference}.",
            missing=(f"get {token.reference.split(' key ')[0]}",),
        )
    if token.source == "missing":
        return skipped("What the token is taken from does not exist; see token-secret-missing.")
    if token.source == "none" or token.empty:
        what = "is empty" if token.empty else "is not set"
        return failed(
            f"KEPTN_API_TOKEN of {service.name} {what}: its requests carry no token.",
            remedy="Set the token that the control plane's Secret keptn-api-token holds.",
            command=set_variable(plane, service, "KEPTN_API_TOKEN=<token>"),
        )
    return passed(f"{service.name} has a token.")
