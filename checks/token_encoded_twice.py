"""The token of a Keptn service is the right one, still in base64.

Meaning       The text of a Secret's data was copied as it stands, so the control plane is sent the
              base64 of its token and refuses it.
Decided by    The fingerprint of the decoded token against the control plane's.
What to do    Decode it once: kubectl get secret … | base64 -d.
False alarms  None known; the test pod of the Helm charts makes this mistake, the service does not.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    ReferenceToken,
    check,
    failed,
    passed,
    set_variable,
    skipped,
    undecided,
)


@check(about=KeptnService, layer=Layer.AUTH, breaks="disconnected", proven_by="state", since="0.1")
def judge(
    service: KeptnService, *, plane: ExecutionPlane | None, reference: ReferenceToken
) -> Finding:
    """Compare the decoded token."""
    token = service.token
    if service.mode != "remote" or service.oauth.enabled:
        return skipped(f"{service.name} uses no token.")
    if not token.fingerprint or not reference.fingerprint:
        return undecided("One of the two tokens could not be read.")
    if token.decoded_fingerprint != reference.fingerprint:
        return passed(f"The token of {service.name} is not the control plane's in base64.")
    return failed(
        f"The token of {service.name} is the control plane's, encoded in base64 once more.",
        remedy="Decode it once before it is set or stored.",
        command=set_variable(plane, service, 'KEPTN_API_TOKEN="$(echo "$TOKEN" | base64 -d)"'),
        at_fault=(f"token of {service.subject}",),
    )
