"""A Keptn service gets no OAuth token.

Meaning       With OAuth on, each request needs a token of the identity provider first. The provider
              refuses the client or its scopes, or cannot be reached, so no request is ever sent to
              Keptn.
Decided by    The client's log: the failing request is the one for the token.
What to do    Check client id, secret and scopes with the provider, and the way from the plane to
              it; OAuth clients verify certificates and use no HTTP proxy.
False alarms  Without OAuth this is skipped.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    PodLog,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    read_log,
    skipped,
)


@check(
    about=KeptnService,
    layer=Layer.AUTH,
    breaks="disconnected",
    explains=(
        "service-crash-looping",
        "not-registered",
        "heartbeat-stale",
        "endpoint-unreachable",
        "endpoint-name-unknown",
    ),
    since="0.1",
)
def judge(
    service: KeptnService, *, logs: tuple[PodLog, ...], plane: ExecutionPlane | None
) -> Finding:
    """What the log says of the token's request."""
    if not service.oauth.enabled:
        return skipped(f"{service.name} does not use OAuth.")
    told = ongoing(logs, cause="oauth") or ongoing(logs, event="oauth")
    if not told:
        return passed(f"The log of {service.name} tells of no trouble with its OAuth token.")
    provider = service.oauth.token_url or service.oauth.discovery_url
    return failed(
        f"{service.name} gets no token from {provider}: {quoted(told[0])}.",
        remedy="Check client, secret and scopes with the identity provider, and the way to it.",
        command=read_log(plane, service),
    )
