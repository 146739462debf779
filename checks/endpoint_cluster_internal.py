"""The endpoint is an address that only the control plane's own cluster knows.

Meaning       A Service name (….svc, or a bare name), a cluster address or localhost leads nowhere,
              or to something else, from another cluster.
Decided by    The host of the endpoint, and the identity of the two clusters (uid of kube-system).
What to do    Expose the gateway (LoadBalancer, NodePort, Ingress) and use that address.
False alarms  Execution planes in the control plane's cluster may use such a name; a Service of the
              same name in the plane's cluster may lead to a tunnel. A service that was seen to get
              through passes.
"""

from __future__ import annotations

from keptn_doctor.api import (
    ControlPlane,
    Endpoint,
    ExecutionPlane,
    Finding,
    GatewayService,
    KeptnService,
    Layer,
    LocalApiAnswer,
    SdkHealth,
    answered,
    check,
    failed,
    passed,
    registered,
    set_variable,
    skipped,
    suspected,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    proven_by="state",
    explained_by=("gateway-not-exposed", "gateway-address-pending"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    plane: ExecutionPlane | None,
    control_plane: ControlPlane,
    gateway: GatewayService | None,
    local: LocalApiAnswer | None,
    health: SdkHealth | None,
) -> Finding:
    """Judge the host, unless the service itself was answered by somebody."""
    if endpoint is None or not endpoint.host or plane is None:
        return skipped(f"{service.name} has no endpoint whose host could be judged.")
    kind = _internal(endpoint.host, gateway)
    if not kind and gateway is not None:
        return passed(f"{endpoint.host} is no cluster-internal address.")
    if not kind and endpoint.host.replace(".", "").isdigit():
        return undecided(f"Whether {endpoint.host} is the gateway's cluster address is not known.")
    if not kind:
        return skipped(f"{endpoint.host} does not look like a cluster-internal name.")
    if answered(local) or registered(health):
        return passed(f"{endpoint.host} is {kind}, and {service.name} gets an answer there.")
    remedy = "Expose api-gateway-nginx to the execution plane and set that address as the endpoint."
    command = set_variable(plane, service, "KEPTN_API_ENDPOINT=https://<gateway address>/api")
    if kind == "the pod itself":
        return failed(
            f"The endpoint's host {endpoint.host} means the pod itself, where no control plane is.",
            remedy=remedy,
            command=command,
        )
    if not (plane.cluster_uid and control_plane.cluster_uid):
        return suspected(
            f"The endpoint's host {endpoint.host} is {kind}; whether {plane.name} is the control "
            "plane's cluster could not be told.",
            remedy=remedy,
            command=command,
        )
    if plane.cluster_uid == control_plane.cluster_uid:
        return skipped(f"{endpoint.host} is {kind}, and {plane.name} is the same cluster.")
    return failed(
        f"The endpoint's host {endpoint.host} is {kind}, which means nothing in cluster "
        f"{plane.name}.",
        remedy=remedy,
        command=command,
    )


def _internal(host: str, gateway: GatewayService | None) -> str:
    """What makes a host cluster-internal, in words; "" when nothing does."""
    if host == "localhost" or host.startswith("127.") or host == "::1":
        return "the pod itself"
    if host.endswith((".svc", ".cluster.local")) or ".svc." in host:
        return "a Service name of a cluster"
    if gateway is not None and host == gateway.cluster_ip:
        return "the cluster address of the gateway"
    labels = host.split(".")
    if labels[0] == "api-gateway-nginx" or (len(labels) == 1 and not host[0].isdigit()):
        return "a Service name of a cluster"
    return ""
