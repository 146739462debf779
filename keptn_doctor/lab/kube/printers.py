"""Which columns a resource is printed with."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from keptn_doctor.lab.kube import columns_cluster as cluster
from keptn_doctor.lab.kube import columns_network as network
from keptn_doctor.lab.kube import columns_workloads as workloads
from keptn_doctor.lab.kube.ages import age
from keptn_doctor.lab.kube.columns import AGE, CREATED_AT, NAME, Column
from keptn_doctor.lab.kube.columns_pods import pod_columns
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.objects import Object, dicts, dig
from keptn_doctor.lab.kube.resources import Resource

Columns = tuple[Column, ...]

_RBAC = "rbac.authorization.k8s.io"
_FIXED: dict[tuple[str, str], Columns] = {
    ("", "services"): network.SERVICE,
    ("", "endpoints"): network.ENDPOINTS,
    ("discovery.k8s.io", "endpointslices"): network.ENDPOINT_SLICE,
    ("networking.k8s.io", "ingresses"): network.INGRESS,
    ("networking.k8s.io", "ingressclasses"): network.INGRESS_CLASS,
    ("networking.k8s.io", "networkpolicies"): network.NETWORK_POLICY,
    ("apps", "deployments"): workloads.DEPLOYMENT,
    ("apps", "replicasets"): workloads.REPLICA_SET,
    ("", "replicationcontrollers"): workloads.REPLICA_SET,
    ("apps", "statefulsets"): workloads.STATEFUL_SET,
    ("apps", "daemonsets"): workloads.DAEMON_SET,
    ("", "nodes"): cluster.NODE,
    ("", "namespaces"): cluster.NAMESPACE,
    ("", "events"): cluster.EVENT,
    ("", "secrets"): cluster.SECRET,
    ("", "configmaps"): cluster.CONFIG_MAP,
    ("", "resourcequotas"): cluster.RESOURCE_QUOTA,
    ("", "limitranges"): (NAME, CREATED_AT),
    ("storage.k8s.io", "storageclasses"): cluster.STORAGE_CLASS,
    (_RBAC, "roles"): (NAME, CREATED_AT),
    (_RBAC, "clusterroles"): (NAME, CREATED_AT),
    (_RBAC, "rolebindings"): cluster.BINDING,
    (_RBAC, "clusterrolebindings"): cluster.BINDING,
    ("apiextensions.k8s.io", "customresourcedefinitions"): (NAME, CREATED_AT),
    ("autoscaling", "horizontalpodautoscalers"): cluster.AUTOSCALER,
    ("policy", "poddisruptionbudgets"): cluster.DISRUPTION_BUDGET,
    ("coordination.k8s.io", "leases"): cluster.LEASE,
}
_BY_GENERATION: dict[tuple[str, str], Callable[[Generation], Columns]] = {
    ("", "pods"): pod_columns,
    ("", "serviceaccounts"): cluster.service_account_columns,
    ("", "persistentvolumeclaims"): cluster.volume_claim_columns,
    ("", "persistentvolumes"): cluster.volume_columns,
    ("batch", "jobs"): workloads.job_columns,
    ("batch", "cronjobs"): workloads.cron_job_columns,
}
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\*)\]|\[\?\(@\.(\w+)==['\"]([^'\"]+)['\"]\)\]")


def columns_of(resource: Resource, generation: Generation) -> Columns:
    if resource.key in _BY_GENERATION:
        return _BY_GENERATION[resource.key](generation)
    if resource.key in _FIXED:
        return _FIXED[resource.key]
    if resource.columns:
        return (NAME, *(_custom(title, path) for title, path in resource.columns))
    return (NAME, AGE)


def _custom(title: str, path: str) -> Column:
    def read(obj: Object, now: datetime) -> Any:
        value = json_path(obj, path)
        if path.endswith("Timestamp"):
            return age(value, now)
        return value if isinstance(value, str | int | bool) or value is None else str(value)

    return Column(name=title, read=read)


def json_path(obj: Any, path: str) -> Any:
    """The part of JSONPath that printer columns use: steps, an index, ``[?(@.key=="v")]``."""
    for match in _STEP.finditer(path):
        field, index, key, wanted = match.groups()
        if field:
            obj = dig(obj, field)
        elif key:
            obj = next((item for item in dicts(obj) if str(item.get(key)) == wanted), None)
        elif isinstance(obj, list):
            place = 0 if index == "*" else int(index)
            obj = obj[place] if place < len(obj) else None
        else:
            return None
    return obj
