"""The one table of what the doctor asks of a Kubernetes API, and why.

The permission review, the manifests of ``keptn-doctor rbac`` and the lines of ``--plan`` are made
from it, so that none of them can promise what the others do not know. A right that is optional
only sharpens the answer: without it something stays unknown, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from keptn_doctor.model import kube_facts
from keptn_doctor.model.base import Record

Role = Literal["control-plane", "execution-plane"]
_BOTH: tuple[Role, ...] = ("control-plane", "execution-plane")
_CONTROL: tuple[Role, ...] = ("control-plane",)
_PLANE: tuple[Role, ...] = ("execution-plane",)


class Need(Record, frozen=True, kw_only=True):
    """One right. ``resource`` is like "pods", "pods/log" or "deployments.apps"."""

    verb: str
    resource: str
    roles: tuple[Role, ...]
    why: str
    cluster: bool = False  # asked for in the whole cluster, not in single namespaces
    optional: bool = False
    active: bool = False  # only in a run that may create probe pods
    names: tuple[str, ...] = ()  # only these objects

    def group_resource(self) -> tuple[str, str]:
        """API group and resource as RBAC rules name them: ``("apps", "deployments")``."""
        kind, slash, sub = self.resource.partition("/")
        name, _, group = kind.partition(".")
        return group, f"{name}{slash}{sub}"


def _need(verb: str, resource: str, roles: tuple[Role, ...], why: str) -> Need:
    return Need(verb=verb, resource=resource, roles=roles, why=why)


def _optional(verb: str, resource: str, roles: tuple[Role, ...], why: str) -> Need:
    return Need(verb=verb, resource=resource, roles=roles, why=why, optional=True)


def _wide(verb: str, resource: str, roles: tuple[Role, ...], why: str) -> Need:
    return Need(verb=verb, resource=resource, roles=roles, why=why, cluster=True, optional=True)


NEEDS: tuple[Need, ...] = (
    # what runs, and how it is told to call the control plane
    _need("list", "deployments.apps", _BOTH, "find Keptn services and Keptn's components"),
    _need("list", "statefulsets.apps", _BOTH, "find services and databases of that kind"),
    _need("list", "daemonsets.apps", _BOTH, "find services of that kind"),
    _need("list", "replicasets.apps", _BOTH, "tell the newest rollout from older ones"),
    _need("list", "pods", _BOTH, "see whether the containers run, and why not"),
    _need("list", "events", _BOTH, "read why a pod or a load balancer does not come up"),
    _need("get", "pods/log", _BOTH, "read what the clients and the gateway say of the connection"),
    _need("get", "configmaps", _PLANE, "resolve environment variables that refer to them"),
    _need("get", "secrets", _PLANE, "compare the service's token with the control plane's"),
    Need(
        verb="get",
        resource="secrets",
        roles=_CONTROL,
        why="compare the execution planes' tokens with the control plane's own",
        names=("keptn-api-token",),
    ),
    Need(
        verb="get",
        resource="configmaps",
        roles=_CONTROL,
        why="see how the gateway routes and limits",
        optional=True,
        names=("api-nginx-config",),
    ),
    # the service's own path, seen from inside
    _need("get", "pods/portforward", _PLANE, "ask through the distributor's own API proxy"),
    _need("create", "pods/portforward", _PLANE, "the same, for API servers from 1.35"),
    _optional("get", "pods/portforward", _CONTROL, "ask the Keptn API past a gateway out of reach"),
    _optional("create", "pods/portforward", _CONTROL, "the same, for API servers from 1.35"),
    _optional("get", "pods/proxy", _PLANE, "ask a service without sidecar for its health"),
    # the way to the gateway
    _need("list", "services", _BOTH, "find the gateway and its address"),
    _need("list", "endpoints", _CONTROL, "see whether a ready pod stands behind the gateway"),
    _optional("list", "ingresses.networking.k8s.io", _CONTROL, "follow the way from outside"),
    _optional("list", "ingresses.extensions", _CONTROL, "the same, before Kubernetes 1.19"),
    _optional("list", "routes.route.openshift.io", _CONTROL, "the same, on OpenShift"),
    _optional("list", "virtualservices.networking.istio.io", _CONTROL, "the same, with Istio"),
    _optional("list", "httproutes.gateway.networking.k8s.io", _CONTROL, "the same, Gateway API"),
    _optional("list", "networkpolicies.networking.k8s.io", _BOTH, "see what they cut off"),
    _optional("list", "peerauthentications.security.istio.io", _BOTH, "see whether mTLS is forced"),
    # room to run
    _optional("list", "persistentvolumeclaims", _CONTROL, "see whether the database has its disk"),
    _optional("list", "resourcequotas", _BOTH, "see whether a quota keeps pods from starting"),
    # the cluster around
    _wide("get", "namespaces", _BOTH, "know the cluster by the uid of kube-system"),
    _wide("list", "namespaces", _BOTH, "find the namespaces that Keptn services run in"),
    _wide("list", "nodes", _BOTH, "see whether the nodes are ready and have room"),
    _wide("list", "deployments.apps", _BOTH, "find Keptn and its services in every namespace"),
    _wide("list", "statefulsets.apps", _BOTH, "the same, for that kind"),
    _wide("list", "daemonsets.apps", _BOTH, "the same, and who hands out addresses"),
    _wide("list", "pods", _BOTH, "count what the nodes' room is spent on"),
    _wide("list", "services", _CONTROL, "see whether another Service claims the gateway's port"),
    _wide("list", "storageclasses.storage.k8s.io", _CONTROL, "see whether claims can be bound"),
    _wide("list", "ingressclasses.networking.k8s.io", _CONTROL, "see whether an Ingress is served"),
    _wide("list", "ipaddresspools.metallb.io", _CONTROL, "see whether MetalLB has addresses"),
    _wide("list", "l2advertisements.metallb.io", _CONTROL, "see whether MetalLB announces them"),
    _wide("list", "bgpadvertisements.metallb.io", _CONTROL, "see whether MetalLB announces them"),
    # an active run
    Need(verb="get", resource="pods", roles=_PLANE, why="watch the probe pod", active=True),
    Need(verb="create", resource="pods", roles=_PLANE, why="run a probe pod", active=True),
    Need(verb="delete", resource="pods", roles=_PLANE, why="remove it again", active=True),
)


# What an optional right is for, where it is for single facts: the rest serves every verdict.
_FEEDS: dict[str, tuple[type, ...]] = {
    "ingresses.networking.k8s.io": (kube_facts.ExposureRoutes,),
    "ingresses.extensions": (kube_facts.ExposureRoutes,),
    "ingressclasses.networking.k8s.io": (kube_facts.ExposureRoutes,),
    "routes.route.openshift.io": (kube_facts.ExposureRoutes,),
    "virtualservices.networking.istio.io": (kube_facts.ExposureRoutes,),
    "httproutes.gateway.networking.k8s.io": (kube_facts.ExposureRoutes,),
    "networkpolicies.networking.k8s.io": (kube_facts.NetworkPolicies,),
    "peerauthentications.security.istio.io": (kube_facts.NetworkPolicies,),
    "persistentvolumeclaims": (kube_facts.Claims,),
    "storageclasses.storage.k8s.io": (kube_facts.Claims,),
    "resourcequotas": (kube_facts.NamespaceFacts,),
    "nodes": (kube_facts.Nodes,),
    "pods": (kube_facts.Nodes, kube_facts.ClusterFacts),
    "services": (kube_facts.GatewayService,),
    "ipaddresspools.metallb.io": (kube_facts.LoadBalancerProvider,),
    "l2advertisements.metallb.io": (kube_facts.LoadBalancerProvider,),
    "bgpadvertisements.metallb.io": (kube_facts.LoadBalancerProvider,),
}
_BESIDE_PROBE_PODS = "networkpolicies.networking.k8s.io"  # they must hold for the probe pod, too


def needs(
    role: Role, *, active: bool = False, facts: Collection[type] | None = None
) -> tuple[Need, ...]:
    """The rights for one role; ``active`` adds those for probe pods.

    With ``facts`` (those that the chosen checks ask for) the optional rights that serve none of
    them are left out; what finds the Keptn services and proves their connection always stays.
    """
    return tuple(
        need
        for need in NEEDS
        if role in need.roles
        and (active or not need.active)
        and (_serves(need, facts) or (active and need.resource == _BESIDE_PROBE_PODS))
    )


def _serves(need: Need, facts: Collection[type] | None) -> bool:
    if facts is None or not need.optional or need.resource not in _FEEDS:
        return True
    return any(fact in facts for fact in _FEEDS[need.resource])
