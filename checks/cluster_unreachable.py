"""The Kubernetes API of an execution plane's cluster cannot be reached.

Meaning       The server of the kubeconfig's context does not exist, is not reachable from this
              machine (a VPN that is off, a private endpoint) or shows a certificate that its
              kubeconfig does not know. Nothing of the plane can be seen; its Keptn services may
              be fine.
Decided by    How the first look at the cluster failed, before anybody looked at credentials.
What to do    Switch on the VPN, or write the kubeconfig anew if the cluster was made anew.
False alarms  Refusals by the API are other matters: see rights-missing and credentials-refused.
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
    skipped,
    unreached_server,
)


@check(about=ExecutionPlane, layer=Layer.ACCESS, severity="warning", since="0.1")
def judge(plane: ExecutionPlane, *, cluster: ClusterFacts | Failure) -> Finding:
    """How the first look at the cluster failed."""
    if isinstance(cluster, ClusterFacts):
        return passed(f"The cluster of {plane.name} can be reached.")
    why = unreached_server(cluster)
    if not why:
        return skipped(f"The cluster of {plane.name} answers, and refuses.")
    return failed(
        f"The cluster of {plane.name} cannot be reached by context {plane.context or plane.name}: "
        f"{why.rstrip('.')}.",
        remedy="See that this machine may reach the API server (VPN, address, certificate of its "
        "kubeconfig).",
        command=kubectl(plane, "version"),
    )
