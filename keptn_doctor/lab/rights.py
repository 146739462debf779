"""What the operator's users may do, as RBAC rules: everything readable, less what is refused.

RBAC knows no refusals, so ``cannot`` and ``only_in`` turn the one wide rule of a full reader into
the list of what is left.
"""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.lab.kube import Rule
from keptn_doctor.lab.levers import ContextLevers

_READ = ("get", "list", "watch")
_NAMESPACED = {
    "": (
        "pods", "pods/log", "pods/status", "services", "endpoints", "secrets", "configmaps",
        "events", "persistentvolumeclaims", "resourcequotas", "limitranges", "serviceaccounts",
        "replicationcontrollers",
    ),
    "apps": ("deployments", "replicasets", "statefulsets", "daemonsets"),
    "batch": ("jobs", "cronjobs"),
    "discovery.k8s.io": ("endpointslices",),
    "events.k8s.io": ("events",),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "extensions": ("ingresses",),
    "policy": ("poddisruptionbudgets",),
    "rbac.authorization.k8s.io": ("roles", "rolebindings"),
    "route.openshift.io": ("routes",),
    "networking.istio.io": ("virtualservices", "gateways", "serviceentries", "sidecars"),
    "security.istio.io": ("peerauthentications",),
    "gateway.networking.k8s.io": ("httproutes",),
    "metallb.io": ("ipaddresspools", "l2advertisements", "bgpadvertisements"),
    "cert-manager.io": ("certificates", "issuers"),
}  # fmt: skip
_CLUSTER_WIDE = {
    "": ("namespaces", "nodes", "persistentvolumes"),
    "storage.k8s.io": ("storageclasses",),
    "networking.k8s.io": ("ingressclasses",),
    "apiextensions.k8s.io": ("customresourcedefinitions",),
    "rbac.authorization.k8s.io": ("clusterroles", "clusterrolebindings"),
    "admissionregistration.k8s.io": ("validatingwebhookconfigurations",),
}
_FORWARD = "pods/portforward"


def rules_of(levers: ContextLevers) -> tuple[Rule, ...]:
    """The rules of one context's user in its cluster."""
    if "*" in levers.cannot:
        return ()
    if not levers.cannot and levers.only_in is None:
        everything = Rule(api_groups=("*",), resources=("*",), verbs=_READ)
        paths = Rule(api_groups=(), resources=(), verbs=("get",), non_resource_urls=("*",))
        return (everything, paths, _forwarding(None), *_writing(levers, None))
    rules = list(_left(_NAMESPACED, levers.cannot, levers.only_in))
    if levers.only_in is None:
        rules += _left(_CLUSTER_WIDE, levers.cannot, None)
    if _FORWARD not in levers.cannot:
        rules.append(_forwarding(levers.only_in))
    return (*rules, *_writing(levers, levers.only_in))


def _left(
    table: dict[str, tuple[str, ...]],
    cannot: Iterable[str],
    only_in: tuple[str, ...] | None,
) -> Iterable[Rule]:
    refused = set(cannot)
    for group, resources in table.items():
        for resource in resources:
            verbs = tuple(v for v in _READ if f"{v} {resource}" not in refused)
            if resource not in refused and verbs:
                yield Rule(
                    api_groups=(group,), resources=(resource,), verbs=verbs, namespaces=only_in
                )


def _forwarding(only_in: tuple[str, ...] | None) -> Rule:
    return Rule(resources=(_FORWARD,), verbs=("create", "get"), namespaces=only_in)


def _writing(levers: ContextLevers, only_in: tuple[str, ...] | None) -> tuple[Rule, ...]:
    if not levers.may_write:
        return ()
    return (Rule(resources=("pods",), verbs=("create", "delete"), namespaces=only_in),)
