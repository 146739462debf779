"""Why a ReplicaSet may not create its pods: Pod Security, OpenShift's SCC, ResourceQuota.

Each answers with the message that the ReplicaSet's FailedCreate event carries, or "".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.objects import Object
from keptn_doctor.lab.objects.inventory import Inventory
from keptn_doctor.lab.objects.quantities import amount, text_of

_LEVEL = "pod-security.kubernetes.io/enforce"


def forbidden_by_pod_security(
    pod_spec: Object, namespace: str, inventory: Inventory, generation: Generation
) -> str:
    """Pod Security admission, enforced by label from Kubernetes 1.23; level ``restricted`` only."""
    home = inventory.get("Namespace", "", namespace) or {}
    return forbidden_in(home, pod_spec, generation)


def forbidden_in(home: Object, pod_spec: Object, generation: Generation) -> str:
    """The same for a pod in the namespace ``home``, as it is now."""
    labels = (home.get("metadata") or {}).get("labels") or {}
    if generation.minor < 23 or labels.get(_LEVEL) != "restricted":
        return ""
    containers = pod_spec.get("containers") or []
    contexts = [(c.get("name"), c.get("securityContext") or {}) for c in containers]
    pod = pod_spec.get("securityContext") or {}
    found = []
    rules: tuple[tuple[str, Callable[[Object], bool]], ...] = (
        ("allowPrivilegeEscalation != false", lambda c: c.get("allowPrivilegeEscalation") is False),
        ("unrestricted capabilities", lambda c: "ALL" in _drops(c)),
        ("runAsNonRoot != true", lambda c: c.get("runAsNonRoot", pod.get("runAsNonRoot")) is True),
        ("seccompProfile", lambda c: bool(c.get("seccompProfile") or pod.get("seccompProfile"))),
    )
    for title, holds in rules:
        names = ", ".join(f'"{name}"' for name, context in contexts if not holds(context))
        if names:
            found.append(f"{title} (container {names} must comply)")
    return f'violates PodSecurity "restricted:latest": {", ".join(found)}' if found else ""


def _drops(context: Object) -> list[Any]:
    return (context.get("capabilities") or {}).get("drop") or []


def forbidden_by_scc(pod_spec: Object) -> str:
    """OpenShift's restricted SCC: user and group ids must come from the namespace's range."""
    context = pod_spec.get("securityContext") or {}
    if "fsGroup" in context:
        group = context["fsGroup"]
        return (
            "unable to validate against any security context constraint: [provider restricted: "
            f".spec.securityContext.fsGroup: Invalid value: []int64{{{group}}}: {group} is not an "
            "allowed group]"
        )
    if "runAsUser" in context:
        user = context["runAsUser"]
        return (
            "unable to validate against any security context constraint: [provider restricted: "
            f".spec.securityContext.runAsUser: Invalid value: {user}: must be in the ranges: "
            "[1000660000, 1000669999]]"
        )
    return ""


def without_service_account(pod_spec: Object, namespace: str, inventory: Inventory) -> str:
    """The ServiceAccount admission plugin: a named account must exist; "default" always does."""
    name = str(pod_spec.get("serviceAccountName") or "default")
    if name == "default" or inventory.get("ServiceAccount", namespace, name) is not None:
        return ""
    if not any(a["metadata"].get("namespace") == namespace for a in inventory.of("ServiceAccount")):
        return ""  # a namespace whose accounts the lab does not model
    return (
        f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
    )


def forbidden_by_limit_range(pod_spec: Object, namespace: str, inventory: Inventory) -> str:
    """The LimitRanger admission plugin, ``max`` and ``min`` of containers."""
    for found in inventory.of("LimitRange"):
        if found["metadata"].get("namespace") != namespace:
            continue
        for rule in (found.get("spec") or {}).get("limits") or []:
            for container in pod_spec.get("containers") or []:
                if rule.get("type") == "Container" and (refusal := _outside(rule, container)):
                    return refusal
    return ""


def _outside(rule: Object, container: Object) -> str:
    resources = container.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for resource, most in (rule.get("max") or {}).items():
        if resource in limits and amount(limits[resource]) > amount(most):
            return (
                f"maximum {resource} usage per Container is {most}, but limit is "
                f"{limits[resource]}"
            )
    for resource, least in (rule.get("min") or {}).items():
        if resource in requests and amount(requests[resource]) < amount(least):
            return (
                f"minimum {resource} usage per Container is {least}, but request is "
                f"{requests[resource]}"
            )
    return ""


class Quotas:
    """ResourceQuotas of all namespaces, filled as pods are admitted."""

    def __init__(self, inventory: Inventory) -> None:
        self._quotas = inventory.of("ResourceQuota")
        self._used: dict[tuple[str, str, str], float] = {}

    def forbids(self, pod_spec: Object, namespace: str) -> str:
        """The refusal of a pod, or "" after having counted it."""
        wanted: list[tuple[tuple[str, str, str], float]] = []
        for quota in self._quotas:
            meta = quota["metadata"]
            if meta.get("namespace") != namespace:
                continue
            for resource, hard in ((quota.get("spec") or {}).get("hard") or {}).items():
                asked = _asked(pod_spec, resource)
                if asked is None:
                    return f"failed quota: {meta['name']}: must specify {resource}"
                key = (namespace, str(meta["name"]), resource)
                used = self._used.get(key, 0.0)
                if used + asked > amount(hard):
                    return (
                        f"exceeded quota: {meta['name']}, requested: {resource}="
                        f"{text_of(resource, asked)}, used: {resource}={text_of(resource, used)}, "
                        f"limited: {resource}={hard}"
                    )
                wanted.append((key, asked))
        for key, asked in wanted:
            self._used[key] = self._used.get(key, 0.0) + asked
        return ""

    def write(self) -> None:
        """Put hard and used into the quotas' statuses."""
        for quota in self._quotas:
            meta, hard = quota["metadata"], (quota.get("spec") or {}).get("hard") or {}
            home, name = str(meta.get("namespace")), str(meta["name"])
            used = {r: text_of(r, self._used.get((home, name, r), 0.0)) for r in hard}
            quota["status"] = {"hard": dict(hard), "used": used}


def _asked(pod_spec: Object, resource: str) -> float | None:
    """How much of a quota's resource a pod takes; None when it does not say."""
    if resource in {"pods", "count/pods"}:
        return 1.0
    side, _, name = resource.rpartition(".")
    if name not in {"cpu", "memory"}:
        return 0.0
    total = 0.0
    for container in pod_spec.get("containers") or []:
        given = ((container.get("resources") or {}).get(side or "requests")) or {}
        if name not in given:
            return None
        total += amount(given[name])
    return total
