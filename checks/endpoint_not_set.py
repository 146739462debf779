"""KEPTN_API_ENDPOINT is not set on a plane that has no control plane.

Meaning       Without an endpoint the client looks for NATS and the control plane inside its own
              cluster (NATS mode). On a remote execution plane there is none.
Decided by    The empty variable, and the identity of the two clusters (uid of kube-system).
What to do    Set the endpoint; with the Helm charts, remoteControlPlane.enabled=true together with
              remoteControlPlane.api.protocol, .hostname and .token.
False alarms  A service beside the control plane is meant to run without an endpoint.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    check,
    failed,
    passed,
    set_variable,
    skipped,
    suspected,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.CONFIGURATION,
    breaks="disconnected",
    proven_by="state",
    explains=("service-crash-looping",),
    since="0.1",
)
def judge(
    service: KeptnService, *, plane: ExecutionPlane | None, control_plane: ControlPlane
) -> Finding:
    """Settings alone decide, together with where the control plane runs."""
    if service.endpoint:
        return passed(f"{service.name} is told to call {service.endpoint}.")
    if service.belongs_to == "control-plane" or plane is None:
        return skipped(f"{service.name} runs beside the control plane and needs no endpoint.")
    if any(problem.variable == "KEPTN_API_ENDPOINT" for problem in service.env_problems):
        return undecided(
            f"The endpoint of {service.name} could not be read from where its pod takes it.",
            missing=tuple(p.reference for p in service.env_problems),
        )
    url = control_plane.api_url or "<protocol>://<host of the gateway>/api"
    remedy = "Set KEPTN_API_ENDPOINT (Helm: remoteControlPlane.enabled=true and its api values)."
    command = set_variable(plane, service, f"KEPTN_API_ENDPOINT={url}")
    known = plane.cluster_uid and control_plane.cluster_uid
    if known and plane.cluster_uid == control_plane.cluster_uid:
        return skipped(f"{service.name} runs in the control plane's cluster, in NATS mode.")
    if known:
        return failed(
            f"{service.name} has no KEPTN_API_ENDPOINT, so it looks for a control plane in its own "
            f"cluster {plane.name}, which has none.",
            remedy=remedy,
            command=command,
        )
    return suspected(
        f"{service.name} has no KEPTN_API_ENDPOINT, so it looks for a control plane in its own "
        "cluster; whether there is one could not be told.",
        remedy=remedy,
        command=command,
    )
