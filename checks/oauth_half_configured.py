"""Some of a Keptn service's OAuth variables are set, and not enough of them.

Meaning       A client turns OAuth on only with client id, secret, scopes and a token or discovery
              URL. If one is missing it goes on with KEPTN_API_TOKEN, and says nothing about it.
Decided by    Which of the OAUTH_ variables are set (clients from 0.13).
What to do    Set what is missing, or remove all of them.
False alarms  With a token that is accepted the service works without OAuth; then it is advice.
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
)


@check(
    about=KeptnService,
    layer=Layer.AUTH,
    breaks="disconnected",
    proven_by="state",
    explains=("token-missing", "token-rejected", "service-crash-looping"),
    since="0.1",
)
def judge(service: KeptnService, *, plane: ExecutionPlane | None) -> Finding:
    """Settings alone; without a token there is nothing to fall back to."""
    oauth = service.oauth
    if service.mode != "remote":
        return skipped(f"{service.name} does not call a remote control plane.")
    if not oauth.half_configured:
        return passed(f"OAuth of {service.name} is {'on' if oauth.enabled else 'off'} as a whole.")
    wanted = {
        "OAUTH_CLIENT_ID": oauth.client_id,
        "OAUTH_CLIENT_SECRET": oauth.client_secret,
        "OAUTH_SCOPES": oauth.scopes,
        "OAUTH_TOKEN_URL or OAUTH_DISCOVERY": oauth.token_url or oauth.discovery_url,
    }
    missing = [name for name, value in wanted.items() if not value]
    hidden = [p.variable for p in service.env_problems if p.variable.startswith("OAUTH_")]
    if hidden:
        return skipped(f"{hidden[0]} of {service.name} could not be read.")
    no_token = service.token.empty or service.token.source == "none"
    fallback = "and it has no token" if no_token else "so it uses its token"
    return failed(
        f"OAuth of {service.name} stays off because {' and '.join(missing)} is not set, "
        f"{fallback}.",
        remedy=f"Set {' and '.join(missing)}, or remove all OAUTH_ variables.",
        command=set_variable(plane, service, f"{missing[0].split(' ')[0]}=<value>"),
        severity="error" if no_token else "warning",
        breaks="as-declared" if no_token else "nothing",
    )
