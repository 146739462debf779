"""Kubernetes rules (verb, resource, namespace) and how they are spoken of.

One wording everywhere: in a failure's ``right``, in the review, in ``--plan`` and in the RBAC
manifests: "list pods in namespace keptn-exec".
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from keptn_doctor.model.base import Record

CLUSTER_SCOPED = frozenset(
    {
        "nodes",
        "namespaces",
        "persistentvolumes",
        "storageclasses.storage.k8s.io",
        "ingressclasses.networking.k8s.io",
        "gatewayclasses.gateway.networking.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
        "selfsubjectaccessreviews.authorization.k8s.io",
        "selfsubjectrulesreviews.authorization.k8s.io",
    }
)


class Rule(Record, frozen=True, kw_only=True):
    """One thing that one may do. ``resource`` is like "pods", "pods/log" or "deployments.apps"."""

    verb: str
    resource: str
    namespace: str = ""  # "" = in all namespaces, or the resource has none

    def parts(self) -> tuple[str, str, str]:
        """API group, resource, subresource."""
        kind, _, subresource = self.resource.partition("/")
        name, _, group = kind.partition(".")
        return group, name, subresource

    def __str__(self) -> str:
        base = self.resource.partition("/")[0]
        if self.namespace:
            where = f" in namespace {self.namespace}"
        elif base in CLUSTER_SCOPED or self.resource.startswith("/"):
            where = ""
        else:
            where = " in all namespaces"
        return f"{self.verb} {self.resource}{where}"


_PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/.))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?.*"
)


def rule_of(verb: str, path: str) -> Rule:
    """The rule that a request needs; a path outside the resources is its own rule ("/version")."""
    match = _PATH.fullmatch(path)
    if not match:
        return Rule(verb=verb, resource=path)
    group, resource = match["group"] or "", match["resource"]
    full = f"{resource}.{group}" if group else resource
    if match["sub"]:
        full += f"/{match['sub']}"
    return Rule(verb=verb, resource=full, namespace=unquote(match["namespace"] or ""))
