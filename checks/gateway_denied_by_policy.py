"""A NetworkPolicy in the control plane's namespace keeps callers from the gateway.

Meaning       A policy selects the gateway's pod and lets in only certain peers, so connections from
              outside the cluster get no answer.
Decided by    The policies that select the gateway, together with connections of the Keptn service
              that get no answer.
What to do    Permit port 8080 of the gateway's pod for the load balancer or ingress controller, or
              for the plane's own addresses.
False alarms  A policy that lets an ingress controller in is enough where everybody comes through
              it; a service that is answered passes.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    CONTROL_PLANE,
    ControlPlane,
    Endpoint,
    Finding,
    GatewayAnswers,
    KeptnService,
    Layer,
    LocalApiAnswer,
    NetworkPolicies,
    PodLog,
    PodProbe,
    answered,
    check,
    failed,
    kubectl,
    names_of,
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
    explained_by=(
        "egress-denied-by-policy",
        "pinned-address-policy",
        "endpoint-address-stale",
        "proxy-not-honoured",
        "gateway-upstream-stale",
    ),
    explains=(
        "endpoint-unreachable",
        "egress-filtered",
        "node-port-blocked",
        "service-crash-looping",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    endpoint: Endpoint | None,
    there: Annotated[NetworkPolicies, CONTROL_PLANE],
    answers: GatewayAnswers | None,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
    probe: PodProbe | None,
) -> Finding:
    """Who is let in by rule, and who gets no answer."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    if answered(local):
        return passed(f"{service.name} gets an answer from {endpoint.host}.")
    closed = [policy for policy in there.policies if policy.ingress_restricted]
    if not closed:
        return passed("No policy restricts who may call the gateway.")
    permitted = [cidr for policy in closed for cidr in policy.ingress_cidrs]
    if "0.0.0.0/0" in permitted:
        return passed("The policies let every address call the gateway.")
    told = ongoing(logs, cause="tcp_timeout")
    silent = probe is not None and probe.connect == "connect-timeout"
    if not told and not silent:
        return undecided(f"Whether {service.name} gets an answer was not seen.")
    if answers is not None and answers.reached == "keptn" and not permitted:
        return passed(f"{names_of(closed)} lets this machine in, and names no addresses.")
    only = f"only {', '.join(permitted)}" if permitted else "no address from outside the cluster"
    seen = quoted(told[0]) if told else "a probe pod got no answer"
    return failed(
        f"{names_of(closed)} lets {only} call the gateway, and {service.name} gets no answer: "
        f"{seen}.",
        remedy="Permit TCP port 8080 of the gateway's pod for the addresses that the plane, or the "
        "load balancer, comes from.",
        command=kubectl(
            control_plane, "get networkpolicies -o yaml", namespace=control_plane.namespace
        ),
        at_fault=(f"{names_of(closed)} of the control plane",),
    )
