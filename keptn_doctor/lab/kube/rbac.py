"""Role based access control: may this user do this, and because of which binding.

Rules come from the Role, ClusterRole and binding objects in the cluster and from the rules a lab
user carries. The order and the words of the reason follow ``plugin/pkg/auth/authorizer/rbac``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keptn_doctor.lab.kube.cluster import Cluster
from keptn_doctor.lab.kube.objects import Object, dicts, dig, name_of
from keptn_doctor.lab.kube.status import ApiError, forbidden, qualified
from keptn_doctor.lab.kube.users import Rule, User
from keptn_doctor.model.base import Record

_GROUP = "rbac.authorization.k8s.io"
_MASTERS = "system:masters"


class Attributes(Record, frozen=True, kw_only=True):
    """What is asked for; a ``path`` stands for a request that is about no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Decision(Record, frozen=True, kw_only=True):
    allowed: bool
    reason: str = ""


def authorize(cluster: Cluster, user: User, wanted: Attributes) -> Decision:
    if _MASTERS in user.groups:
        return Decision(allowed=True)
    for reason, rule in effective_rules(cluster, user, wanted.namespace):
        if _allows(rule, wanted):
            return Decision(allowed=True, reason=f"RBAC: allowed by {reason}")
    return Decision(allowed=False)


def refusal(user: User, wanted: Attributes) -> ApiError:
    """The 403 that answers a request which ``authorize`` did not allow."""
    who = f'User "{user.name}" cannot {wanted.verb}'
    if wanted.path:
        return forbidden(f'forbidden: {who} path "{wanted.path}"', {})
    scope = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    what = f'resource "{wanted.full_resource}" in API group "{wanted.group}" {scope}'
    about = qualified(wanted.resource, wanted.group)
    subject = f'{about} "{wanted.name}"' if wanted.name else about
    details: dict[str, Any] = {"name": wanted.name} if wanted.name else {}
    if wanted.group:
        details["group"] = wanted.group
    details["kind"] = wanted.resource
    return forbidden(f"{subject} is forbidden: {who} {what}", details)


def effective_rules(cluster: Cluster, user: User, namespace: str) -> Iterator[tuple[str, Rule]]:
    """Every rule that holds for the user in a namespace ('' for cluster scope), with its origin."""
    for binding in cluster.items((_GROUP, "clusterrolebindings")):
        yield from _bound(cluster, user, binding, "ClusterRoleBinding", "")
    if namespace:
        for binding in cluster.items((_GROUP, "rolebindings"), namespace):
            yield from _bound(cluster, user, binding, "RoleBinding", namespace)
    for rule in user.rules:
        if rule.namespaces is None:
            origin = f'ClusterRoleBinding "{user.name}" of ClusterRole "{user.name}"'
            yield f'{origin} to User "{user.name}"', rule
        elif namespace in rule.namespaces:
            origin = f'RoleBinding "{user.name}/{namespace}" of Role "{user.name}"'
            yield f'{origin} to User "{user.name}"', rule


def _bound(
    cluster: Cluster, user: User, binding: Object, kind: str, namespace: str
) -> Iterator[tuple[str, Rule]]:
    subject = _matching_subject(binding, user, namespace)
    role_kind, role_name = dig(binding, "roleRef", "kind"), dig(binding, "roleRef", "name")
    if not subject or not isinstance(role_name, str):
        return
    scope = namespace if role_kind == "Role" else ""
    plural = "roles" if role_kind == "Role" else "clusterroles"
    role = cluster.peek((_GROUP, plural), scope, role_name)
    if role is None:
        return
    name = name_of(binding) + (f"/{namespace}" if namespace else "")
    reason = f'{kind} "{name}" of {role_kind} "{role_name}" to {subject}'
    for rule in dicts(role.get("rules")):
        yield reason, _rule(rule)


def _matching_subject(binding: Object, user: User, namespace: str) -> str:
    for subject in dicts(binding.get("subjects")):
        kind, name = subject.get("kind"), subject.get("name")
        if kind == "User" and name == user.name:
            return f'User "{name}"'
        if kind == "Group" and name in user.groups:
            return f'Group "{name}"'
        if kind == "ServiceAccount":
            home = subject.get("namespace") or namespace
            if user.name == f"system:serviceaccount:{home}:{name}":
                return f'ServiceAccount "{name}/{home}"'
    return ""


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _rule(rule: Object) -> Rule:
    return Rule(
        api_groups=_strings(rule.get("apiGroups")),
        resources=_strings(rule.get("resources")),
        verbs=_strings(rule.get("verbs")),
        resource_names=_strings(rule.get("resourceNames")),
        non_resource_urls=_strings(rule.get("nonResourceURLs")),
    )


def _allows(rule: Rule, wanted: Attributes) -> bool:
    if "*" not in rule.verbs and wanted.verb not in rule.verbs:
        return False
    if wanted.path:
        return any(_path_matches(pattern, wanted.path) for pattern in rule.non_resource_urls)
    if "*" not in rule.api_groups and wanted.group not in rule.api_groups:
        return False
    if rule.resource_names and wanted.name not in rule.resource_names:
        return False
    names = {"*", wanted.full_resource}
    if wanted.subresource:
        names.add(f"*/{wanted.subresource}")
    return not names.isdisjoint(rule.resources)


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in {"*", path} or (pattern.endswith("*") and path.startswith(pattern[:-1]))
