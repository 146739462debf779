"""The cluster of an execution plane does not accept the operator's credentials.

Meaning       The session, token or client certificate of the kubeconfig has ended, or the program
              that should fetch a new one fails. Nothing of the plane can be seen; Keptn itself may
              be fine.
Decided by    401 of the Kubernetes API, or the end of the credentials or of their program.
What to do    Log in again (aws sso login, gcloud auth login, az login), or write the kubeconfig
              anew.
False alarms  403 is another matter: see rights-missing.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ClusterFacts,
    ExecutionPlane,
    Failure,
    Finding,
    Layer,
    check,
    failed,
    kubectl,
    passed,
    refused_credentials,
    skipped,
)


@check(about=ExecutionPlane, layer=Layer.ACCESS, severity="warning", since="0.1")
def judge(plane: ExecutionPlane, *, cluster: ClusterFacts | Failure) -> Finding:
    """How the first look at the cluster failed."""
    if isinstance(cluster, ClusterFacts):
        return passed(f"The cluster of {plane.name} accepts the credentials.")
    why = refused_credentials(cluster)
    if not why:
        return skipped(f"The cluster of {plane.name} could not be asked for another reason.")
    return failed(
        f"The cluster of {plane.name} does not accept the credentials of context "
        f"{plane.context or plane.name}: {why.rstrip('.')}.",
        remedy="Log in to the cluster again, or write its kubeconfig anew.",
        command=kubectl(plane, "auth whoami"),
    )
