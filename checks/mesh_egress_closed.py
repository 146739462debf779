"""The execution plane's service mesh lets nothing out to the control plane.

Meaning       The pod has a sidecar, the mesh only lets registered hosts out (REGISTRY_ONLY), and
              there is no ServiceEntry for the gateway's host: the sidecar itself answers 502, or
              resets https connections.
Decided by    The sidecar, and a 502 or reset towards the Keptn service while Keptn answers this
              machine at the same endpoint.
What to do    Add a ServiceEntry for the host and port of the endpoint.
False alarms  502 from the gateway means a dead backend; then this machine gets it as well.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    Finding,
    GatewayAnswers,
    KeptnService,
    Layer,
    LocalApiAnswer,
    NetworkPolicies,
    PodLog,
    Workload,
    check,
    failed,
    keptn_answered,
    kubectl,
    ongoing,
    passed,
    quoted,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.CONNECT,
    breaks="disconnected",
    explained_by=("egress-denied-by-policy",),
    explains=(
        "endpoint-unreachable",
        "not-registered",
        "service-crash-looping",
        "egress-filtered",
        "answered-by-something-else",
        "heartbeat-stale",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    policies: NetworkPolicies,
    answers: GatewayAnswers | None,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
    workload: Workload | None,
) -> Finding:
    """A sidecar here, trouble here, and none elsewhere."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    pods = [pod.name for pod in workload.pods] if workload else []
    sidecar = [text for text in policies.mesh if any(text.endswith(name) for name in pods)]
    if not sidecar:
        return passed(f"No pod of {service.name} has a mesh sidecar.")
    if keptn_answered(local):
        return passed(f"Keptn answers {service.name}.")
    told = ongoing(logs, cause=("tcp_reset", "backend_down", "tcp_refused", "tcp_timeout"))
    bad_gateway = local is not None and local.registration.status in (502, 503)
    if not told and not bad_gateway:
        return undecided(f"Whether the sidecar lets {service.name} out was not seen.")
    if answers is None or answers.reached != "keptn":
        return undecided(f"Keptn does not answer at {endpoint.url} here either.")
    seen = quoted(told[0]) if told else f"{local.registration.status if local else 502}"
    return failed(
        f"The mesh sidecar of {service.name} does not let it out to {endpoint.host}, where Keptn "
        f"answers others: {seen}.",
        remedy=f"Add a ServiceEntry for {endpoint.host}, port {endpoint.port}.",
        command=kubectl(plane, "get serviceentries", namespace=service.namespace),
    )
