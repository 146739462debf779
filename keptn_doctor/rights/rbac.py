"""The least that a user needs for the doctor to see everything it looks at, as manifests.

Only ``keptn-doctor rbac`` uses it; the doctor never applies anything. The rules come from the one
table in ``needed_rights``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Literal

import yaml

from keptn_doctor.model.base import Record
from keptn_doctor.rights.needed import Need, Role, needs
from keptn_doctor.usage import UsageError

_GROUP = "rbac.authorization.k8s.io"


class Subject(Record, frozen=True, kw_only=True):
    """Who gets the rights; a ServiceAccount is created as well."""

    kind: Literal["ServiceAccount", "User", "Group"] = "ServiceAccount"
    name: str = "keptn-doctor"
    namespace: str = ""  # of a ServiceAccount; "" = the first namespace that is looked at


def manifests(
    role: Role,
    *,
    namespaces: tuple[str, ...],
    active: bool = False,
    facts: Collection[type] | None = None,
    cluster_wide: bool = True,
    subject: Subject | None = None,
) -> str:
    """YAML documents for ``kubectl apply -f -``.

    With ``namespaces`` each gets a Role; without, everything is granted in all namespaces.
    ``cluster_wide=False`` leaves out the rights that reach beyond the namespaces: they are all
    optional. ``active`` adds what probe pods need. ``facts`` are those that the chosen checks ask
    for; without it the rights are for all checks.

    Raises:
        UsageError: neither namespaces nor cluster-wide rights.
    """
    if not namespaces and not cluster_wide:
        raise UsageError("name at least one namespace, or allow cluster-wide rights")
    who = subject or Subject()
    home = who.namespace or (namespaces[0] if namespaces else "default")
    wanted = needs(role, active=active, facts=facts)
    local = [need for need in wanted if not need.cluster]
    wide = [need for need in wanted if need.cluster]
    name = f"keptn-doctor-{role}"
    documents: list[dict[str, Any]] = []
    if who.kind == "ServiceAccount":
        documents.append(_object("v1", "ServiceAccount", who.name, home))
    holder = _holder(who, home)
    for namespace in namespaces:
        documents += _granted(name, namespace, _rules(local), holder)
    if not namespaces:
        documents += _granted(name, "", _rules([*local, *wide]), holder)
    elif cluster_wide:
        documents += _granted(name, "", _rules(wide), holder)
    place = "a control plane" if role == "control-plane" else "an execution plane"
    extent = ", probe pods included" if active else "; it creates nothing"
    header = f"# What keptn-doctor looks at in {place}{extent}.\n"
    return header + yaml.safe_dump_all(documents, sort_keys=False, default_flow_style=None)


def _holder(who: Subject, home: str) -> dict[str, str]:
    holder: dict[str, str] = {"kind": who.kind, "name": who.name}
    return holder | ({"namespace": home} if who.kind == "ServiceAccount" else {"apiGroup": _GROUP})


def _granted(
    name: str, namespace: str, rules: list[dict[str, Any]], holder: dict[str, str]
) -> Iterable[dict[str, Any]]:
    """A role and its binding, in one namespace or (with none) in the whole cluster."""
    api, kind = f"{_GROUP}/v1", "Role" if namespace else "ClusterRole"
    yield _object(api, kind, name, namespace) | {"rules": rules}
    yield _object(api, f"{kind}Binding", name, namespace) | {
        "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": name},
        "subjects": [holder],
    }


def _object(api: str, kind: str, name: str, namespace: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {"app.kubernetes.io/name": "keptn-doctor"}
    return {"apiVersion": api, "kind": kind, "metadata": metadata}


def _rules(wanted: list[Need]) -> list[dict[str, Any]]:
    """Rules in the table's order; resources of one group with the same verbs share one."""
    verbs: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for need in wanted:
        group, resource = need.group_resource()
        found = verbs.setdefault((group, resource, need.names), [])
        if need.verb not in found:
            found.append(need.verb)
    merged: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (group, resource, names), asked in verbs.items():
        merged.setdefault((group, tuple(sorted(asked)), names), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(asked)}
        | ({"resourceNames": list(names)} if names else {})
        for (group, asked, names), resources in merged.items()
    ]
