"""A Keptn service sends its token over plain HTTP.

Meaning       Anybody on the way between the planes can read the token, which is the only one.
Decided by    The scheme of the endpoint, and whether the plane is in the control plane's cluster.
What to do    Put an Ingress with a certificate before the gateway and use https.
False alarms  Inside one cluster, or over a VPN that encrypts, plain HTTP may be meant.

Run with:  keptn-doctor check --checks examples/loose-checks
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    Endpoint,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    check,
    failed,
    passed,
    skipped,
)


@check(about=KeptnService, layer=Layer.CONFIGURATION, severity="warning", since="0.1")
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    plane: ExecutionPlane | None,
    control_plane: ControlPlane,
) -> Finding:
    """Settings alone decide."""
    if endpoint is None or not endpoint.scheme:
        return skipped(f"{service.name} has no endpoint.")
    uid = control_plane.cluster_uid
    if plane is not None and uid and plane.cluster_uid == uid:
        return skipped(f"{service.name} runs in the control plane's cluster.")
    if endpoint.scheme == "https":
        return passed(f"{service.name} uses https.")
    return failed(
        f"{service.name} sends its token to {endpoint.host} over plain HTTP.",
        remedy="Use https, with an Ingress or load balancer that has a certificate.",
        severity="warning",
    )
