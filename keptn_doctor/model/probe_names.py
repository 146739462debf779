"""Which fact a probe looks for: the only way to tell what a failed look would have shown.

An observation that failed holds no fact, yet a check that needs the fact must find the failure.
So every name a probe is recorded under stands here, with the type of the fact it yields.
"""

from __future__ import annotations

from keptn_doctor.model import keptn_facts, kube_facts, path_facts

FACT_OF_PROBE: dict[str, type] = {
    # the way to an endpoint
    "dns": path_facts.DnsAnswer,
    "tcp": path_facts.TcpConnection,
    "tls": path_facts.TlsSession,
    "http": path_facts.HttpAnswer,
    "gateway-answers": path_facts.GatewayAnswers,
    # Keptn's own word
    "keptn-version": keptn_facts.KeptnVersion,
    "token-check": keptn_facts.TokenCheck,
    "reference-token": keptn_facts.ReferenceToken,
    "integrations": keptn_facts.IntegrationListing,
    "projects": keptn_facts.ProjectListing,
    "integration-log": keptn_facts.IntegrationLog,
    "open-events": keptn_facts.OpenEvents,
    "old-events": keptn_facts.OldEvents,
    "past-answers": keptn_facts.PastAnswers,
    "sequences": keptn_facts.Sequences,
    "pod-log": keptn_facts.PodLog,
    "local-api": keptn_facts.LocalApiAnswer,
    "sdk-health": keptn_facts.SdkHealth,
    "gateway-log": keptn_facts.GatewayLog,
    "pod-probe": keptn_facts.PodProbe,
    "round-trip": keptn_facts.RoundTrip,
    # the clusters
    "workload": kube_facts.Workload,
    "components": kube_facts.Components,
    "component-services": kube_facts.ComponentServices,
    "cluster": kube_facts.ClusterFacts,
    "nodes": kube_facts.Nodes,
    "gateway-service": kube_facts.GatewayService,
    "exposure-routes": kube_facts.ExposureRoutes,
    "load-balancer-provider": kube_facts.LoadBalancerProvider,
    "claims": kube_facts.Claims,
    "namespace": kube_facts.NamespaceFacts,
    "network-policies": kube_facts.NetworkPolicies,
    "rights": kube_facts.RightsReview,
}


def fact_of(probe: str) -> type | None:
    """The fact a probe of this name looks for; None for a name nobody has registered."""
    return FACT_OF_PROBE.get(probe)
