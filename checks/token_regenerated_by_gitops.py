"""A GitOps tool replaces the control plane's token behind everybody's back.

Meaning       The chart makes a random token when it finds none. Argo CD and Flux render it with
              helm template, which cannot look, so each sync writes a new token (and a new MongoDB
              password); execution planes keep the one of an earlier sync.
Decided by    The field managers of the token's Secret: the last one that wrote it is a GitOps
              tool, and the service's token is not the one that it wrote.
What to do    Create the Secret yourself and name it in apiService.tokenSecretName (from 0.13), do
              the same for mongo.auth.existingSecret, or let the tool ignore differences in both.
False alarms  A Secret that a GitOps tool manages with a fixed value is fine: then tokens agree.
              Until api-service is restarted the old token works; then this is a warning.
"""

from __future__ import annotations

import re

from keptn_doctor.api import (
    ControlPlane,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    ReferenceToken,
    TokenCheck,
    check,
    failed,
    kubectl,
    passed,
    skipped,
    undecided,
)

_GITOPS = re.compile(
    r"argocd|argo-cd|flux|kustomize-controller|helm-controller|gitops|fleet", re.IGNORECASE
)


@check(
    about=KeptnService,
    layer=Layer.AUTH,
    breaks="disconnected",
    proven_by="state",
    explains=("token-differs", "token-rejected"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    reference: ReferenceToken,
    operator: TokenCheck | None,
    local: LocalApiAnswer | None,
) -> Finding:
    """Who wrote the Secret last, and whether the service has what was written."""
    token = service.token
    if service.mode != "remote" or service.oauth.enabled:
        return skipped(f"{service.name} uses no token.")
    tools = [name for name in reference.managers[-1:] if _GITOPS.search(name)]
    if not tools:
        return passed(f"No GitOps tool wrote Secret {reference.name} last.")
    if not token.fingerprint or not reference.fingerprint:
        return undecided("One of the two tokens could not be read.")
    accepted = local is not None and 200 <= local.registration.status < 300
    if accepted or reference.fingerprint in (
        token.fingerprint,
        token.stripped_fingerprint,
        token.decoded_fingerprint,
    ):
        return passed(f"{service.name} has a token that counts, whoever wrote it.")
    when = f" at {reference.changed_at:%d %b %H:%M} UTC" if reference.changed_at else ""
    coming = _not_in_force(reference, operator)
    return failed(
        f"{tools[0]} wrote a new token into Secret {reference.namespace}/{reference.name}{when}; "
        f"{service.name} has another one"
        f"{', and will be refused once api-service is restarted' if coming else ''}.",
        remedy="Create the token's Secret yourself and name it in apiService.tokenSecretName.",
        command=kubectl(
            control_plane,
            f"get secret {reference.name} --show-managed-fields -o yaml",
            namespace=reference.namespace,
        ),
        severity="warning" if coming else "error",
        breaks="nothing" if coming else "as-declared",
        at_fault=(f"secret {reference.namespace}/{reference.name} as {tools[0]} writes it",),
    )


def _not_in_force(reference: ReferenceToken, operator: TokenCheck | None) -> bool:
    """api-service still has the token of before."""
    if operator is not None and operator.fingerprint == reference.fingerprint:
        return not operator.accepted and not operator.masked_by
    changed, started = reference.changed_at, reference.api_service_started_at
    return changed is not None and started is not None and changed > started
