"""Resources of operators (Istio, MetalLB, OpenShift, cert-manager) that a world's objects need.

Whatever a scenario adds of a group that is not Kubernetes' own is served as if its definition were
installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keptn_doctor.lab.kube import Resource
from keptn_doctor.lab.objects import Object

_CLUSTER_WIDE = {"ClusterIssuer", "GatewayClass", "ClusterPolicy", "IstioOperator"}
_OPENSHIFT = (
    ("route.openshift.io", "v1", "Route"),
    ("config.openshift.io", "v1", "ClusterVersion"),
    ("security.openshift.io", "v1", "SecurityContextConstraints"),
)


def custom_resources(made: Iterable[Object], *, openshift: bool) -> Iterator[Resource]:
    """One resource for every foreign kind among the objects."""
    kinds = dict.fromkeys(_OPENSHIFT if openshift else ())
    for obj in made:
        group, _, version = str(obj.get("apiVersion")).rpartition("/")
        if _foreign(group):
            kinds[group, version, str(obj.get("kind"))] = None
    for group, version, kind in kinds:
        wide = kind in _CLUSTER_WIDE or group in {"config.openshift.io", "security.openshift.io"}
        yield Resource(
            group=group, version=version, name=plural(kind), kind=kind, namespaced=not wide
        )


def _foreign(group: str) -> bool:
    own = group.endswith(".k8s.io") and not group.startswith("gateway.")
    return "." in group and not own


def plural(kind: str) -> str:
    """``PeerAuthentication`` to ``peerauthentications``, ``ClusterPolicy`` to ``…policies``."""
    word = kind.lower()
    if word.endswith("s"):
        return word if word.endswith("constraints") else word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"
