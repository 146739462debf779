"""The API token holds a line break or another control character.

Meaning       Go refuses to send such a header, so no request leaves the pod; it looks like a
              network fault. Often a Secret was made from a file that ends in a line break.
Decided by    The shape of the token, or "invalid header field value" in the client's log.
What to do    Make the Secret again without the line break (echo -n, printf), and restart the pod.
False alarms  Blanks around a token are harmless on HTTP/1.1 and do not count.
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
    kubectl,
    ongoing,
    passed,
    quoted,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.CONFIGURATION,
    breaks="disconnected",
    proven_by="state",
    since="0.1",
)
def judge(
    service: KeptnService, *, plane: ExecutionPlane | None, logs: tuple[PodLog, ...] | None
) -> Finding:
    """The token's shape was kept by the probe, the token was not."""
    if service.mode != "remote":
        return skipped(f"{service.name} does not call a remote control plane.")
    told = ongoing(logs, cause="token_malformed")
    if service.token.control_characters or told:
        seen = f": {quoted(told[0])}" if told else ""
        return failed(
            f"The token of {service.name} holds a control character, which HTTP forbids{seen}.",
            remedy=f"Store the token without a line break ({service.token.reference or 'value'}).",
            command=kubectl(
                plane,
                "create secret generic keptn-api-token --dry-run=client -o yaml "
                '--from-literal=keptn-api-token="$KEPTN_API_TOKEN"',
                namespace=service.namespace,
            ),
        )
    if not service.token.fingerprint:
        return undecided(f"The token of {service.name} could not be read.")
    if logs is None:
        return undecided(f"The token of {service.name} looks well, its log could not be read.")
    return passed(f"The token of {service.name} can be sent as a header.")
