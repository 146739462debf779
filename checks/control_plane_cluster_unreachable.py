"""The Kubernetes API of the control plane's cluster cannot be reached.

Meaning       The server of the kubeconfig's context does not exist, is not reachable from this
              machine (a VPN that is off, a private endpoint) or shows a certificate that its
              kubeconfig does not know. Nothing of that cluster can be seen; Keptn may be fine.
Decided by    How the first look at the cluster failed, before anybody looked at credentials.
What to do    Switch on the VPN, or write the kubeconfig anew if the cluster was made anew.
False alarms  Refusals by the API are other matters: see control-plane-rights-missing and
              control-plane-credentials-refused.
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
    skipped,
    unreached_server,
)


@check(about=ControlPlane, layer=Layer.ACCESS, severity="warning", since="0.1")
def judge(control_plane: ControlPlane, *, cluster: ClusterFacts | Failure) -> Finding:
    """How the first look at the cluster failed."""
    if isinstance(cluster, ClusterFacts):
        return passed("The control plane's cluster can be reached.")
    why = unreached_server(cluster)
    if not why:
        return skipped("The control plane's cluster answers, and refuses.")
    return failed(
        f"The control plane's cluster cannot be reached by context "
        f"{control_plane.context or control_plane.name}: {why.rstrip('.')}.",
        remedy="See that this machine may reach the API server (VPN, address, certificate of its "
        "kubeconfig).",
        command=kubectl(control_plane, "version"),
    )
