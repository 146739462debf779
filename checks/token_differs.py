"""The token of a Keptn service is not the control plane's.

Meaning       The token was mistyped, or rotated in the control plane and not here, so requests are
              refused with 401.
Decided by    Salted fingerprints of both tokens: of the pod's variable and of the Secret that
              api-service reads.
What to do    Give the service the present token and restart it.
False alarms  Blanks around the token are harmless. When the control plane does not accept the
              Secret's token itself, or accepts the service's, the Secret is not what counts.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    ExecutionPlane,
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
    set_variable,
    skipped,
    undecided,
)


@check(about=KeptnService, layer=Layer.AUTH, breaks="disconnected", proven_by="state", since="0.1")
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    control_plane: ControlPlane,
    reference: ReferenceToken,
    accepted: TokenCheck | None,
    local: LocalApiAnswer | None,
) -> Finding:
    """Compare fingerprints, unless something shows that the Secret is not what counts."""
    token = service.token
    if service.mode != "remote" or service.oauth.enabled:
        return skipped(f"{service.name} uses no token.")
    if not token.fingerprint or not reference.fingerprint:
        return undecided("One of the two tokens could not be read.")
    if reference.fingerprint in (token.fingerprint, token.stripped_fingerprint):
        return passed(f"{service.name} has the token of the control plane's Secret.")
    if reference.fingerprint == token.decoded_fingerprint:
        return skipped("It is that token encoded once more; see token-encoded-twice.")
    if local is not None and 200 <= local.registration.status < 300:
        return passed(
            f"The token of {service.name} is not the one in {reference.name}, but is accepted."
        )
    if _not_in_force(reference, accepted):
        return undecided(
            f"The token of {service.name} is not the one in Secret {reference.name}, but "
            "api-service does not use that one either."
        )
    secret = f"get secret {reference.name} -o jsonpath='{{.data.keptn-api-token}}'"
    show = kubectl(control_plane, secret, namespace=reference.namespace)
    value = f'KEPTN_API_TOKEN="$({show} | base64 -d)"'
    return failed(
        f"The token of {service.name} is not the one of the control plane "
        f"(Secret {reference.namespace}/{reference.name}).",
        remedy="Set the control plane's token in the service and restart it.",
        command=set_variable(plane, service, value),
        at_fault=(f"token of {service.subject}",),
    )


def _not_in_force(reference: ReferenceToken, accepted: TokenCheck | None) -> bool:
    """The Secret was changed after api-service read it, or its token is refused."""
    if accepted is not None and accepted.fingerprint == reference.fingerprint:
        return not accepted.accepted and not accepted.masked_by
    changed, started = reference.changed_at, reference.api_service_started_at
    return changed is not None and started is not None and changed > started
