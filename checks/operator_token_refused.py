"""The control plane refuses the token that the doctor was given.

Meaning       The doctor cannot ask Keptn about registrations, projects and events. The token of a
              Keptn service is another matter: it may well be accepted.
Decided by    The answer of the control plane to the doctor's own request.
What to do    Use the token of the Secret that api-service reads (its name is in
              apiService.tokenSecretName; a leftover keptn-api-token beside it is of no use).
False alarms  A refusal that a rate limit or a dead api-service hides is not counted.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    Finding,
    Layer,
    ReferenceToken,
    TokenCheck,
    check,
    failed,
    kubectl,
    passed,
    undecided,
)


@check(about=ControlPlane, layer=Layer.ACCESS, severity="warning", since="0.1")
def judge(
    control_plane: ControlPlane, *, answer: TokenCheck, reference: ReferenceToken | None
) -> Finding:
    """401 to the doctor, with the Secret's word when it could be read."""
    if answer.accepted:
        return passed("The control plane accepts the doctor's token.")
    if answer.masked_by:
        return undecided(
            "Whether the token is accepted is hidden by the state of api-service.",
            missing=("an answer of api-service",),
        )
    name = reference.name if reference else "keptn-api-token"
    namespace = reference.namespace if reference else control_plane.namespace
    other = reference is not None and reference.fingerprint != answer.fingerprint
    unusual = reference is not None and not reference.standard_name
    told = f"; api-service reads Secret {namespace}/{name}" if unusual else ""
    why = f": it is not the one of Secret {name}{told}" if other else told
    return failed(
        f"The control plane refuses the token that the doctor uses ({answer.status}){why}.",
        remedy=f"Give the doctor the token of Secret {name}.",
        command=kubectl(
            control_plane,
            f"get secret {name} -o jsonpath='{{.data.keptn-api-token}}' | base64 -d",
            namespace=namespace,
        ),
    )
