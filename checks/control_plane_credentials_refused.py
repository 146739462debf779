"""The control plane's cluster does not accept the operator's credentials.

Meaning       The session, token or client certificate of the kubeconfig has ended, or the program
              that should fetch a new one fails. Nothing of the control plane's cluster can be seen;
              Keptn itself may be fine.
Decided by    401 of the Kubernetes API, or the end of the credentials or of their program.
What to do    Log in again (aws sso login, gcloud auth login, az login), or write the kubeconfig
              anew.
False alarms  403 is another matter: see control-plane-rights-missing.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ClusterFacts,
    ControlPlane,
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


@check(about=ControlPlane, layer=Layer.ACCESS, severity="warning", since="0.1")
def judge(control_plane: ControlPlane, *, cluster: ClusterFacts | Failure) -> Finding:
    """How the first look at the cluster failed."""
    if isinstance(cluster, ClusterFacts):
        return passed("The control plane's cluster accepts the credentials.")
    why = refused_credentials(cluster)
    if not why:
        return skipped("The control plane's cluster could not be asked for another reason.")
    return failed(
        f"The control plane's cluster does not accept the credentials of context "
        f"{control_plane.context or control_plane.name}: {why.rstrip('.')}.",
        remedy="Log in to the cluster again, or write its kubeconfig anew.",
        command=kubectl(control_plane, "auth whoami"),
    )
