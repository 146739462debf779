"""api-service still uses the token of before the last rotation.

Meaning       api-service reads the Secret once, when it starts. Since the Secret was changed it
              refuses the new token and accepts the old one, so services that were given the new one
              are turned away.
Decided by    The service has the token of the Secret; the Secret is younger than the running
              api-service, or the control plane refuses the operator who uses that token, too.
What to do    Restart api-service.
False alarms  A service with the old token works on until api-service is restarted; it is not
              blamed here.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    Finding,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    ReferenceToken,
    TokenCheck,
    check,
    failed,
    kubectl,
    ongoing,
    passed,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.AUTH,
    breaks="disconnected",
    proven_by="state",
    explains=("token-rejected",),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    reference: ReferenceToken,
    operator: TokenCheck | None,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """The right token, refused."""
    token = service.token
    if service.mode != "remote" or service.oauth.enabled:
        return skipped(f"{service.name} uses no token.")
    if not token.fingerprint or not reference.fingerprint:
        return undecided("One of the two tokens could not be read.")
    if reference.fingerprint not in (token.fingerprint, token.stripped_fingerprint):
        return passed(f"{service.name} does not have the token of Secret {reference.name}.")
    status = local.registration.status if local else 0
    turned_away = status == 401 or bool(ongoing(logs, cause="bad_token"))
    if not turned_away or not _is_old(reference, operator):
        return passed(f"Nothing shows that the token of Secret {reference.name} is refused.")
    since = f" since {reference.changed_at:%d %b %H:%M} UTC" if reference.changed_at else ""
    return failed(
        f"{service.name} has the token that Secret {reference.namespace}/{reference.name} "
        f"holds{since}, but api-service was not restarted and refuses it.",
        remedy="Restart api-service, then every service that still has the old token.",
        command=kubectl(
            control_plane, "rollout restart deployment/api-service", namespace=reference.namespace
        ),
        at_fault=("token that api-service holds",),
    )


def _is_old(reference: ReferenceToken, operator: TokenCheck | None) -> bool:
    """What api-service holds is not what the Secret says now."""
    if operator is not None and operator.fingerprint == reference.fingerprint:
        return not operator.accepted and not operator.masked_by
    changed, started = reference.changed_at, reference.api_service_started_at
    return changed is not None and started is not None and changed > started
