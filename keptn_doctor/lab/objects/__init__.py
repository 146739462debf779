"""Builders of Kubernetes objects as plain dicts: what somebody would have applied to a cluster.

Only *declared* state is made here and in the ``objects_*`` modules (Deployments, Services, Secrets
...). What controllers and kubelets make of it (ReplicaSets, Pods, statuses, Events) is derived in
the ``workloads`` modules, after the scenario has changed what was declared.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Object = dict[str, Any]

_SAFE = "bcdf2456789ghjklmnpqrstvwxz"  # the alphabet of Kubernetes' generated names


def generated(seed: str, length: int = 5) -> str:
    """A suffix as Kubernetes generates them, the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    return "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:length])


def template_hash(template: Object) -> str:
    """The pod-template-hash label of a template: other content, other hash."""
    return generated(json.dumps(template, sort_keys=True, default=str), 10)


def stamp(moment: datetime) -> str:
    """RFC 3339 in seconds, as Kubernetes writes times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def obj(
    kind: str,
    name: str,
    namespace: str = "",
    *,
    api: str = "v1",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    born: datetime | None = None,
    **fields: Any,
) -> Object:
    """Any object; ``fields`` are its other top-level keys."""
    meta: Object = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    if labels:
        meta["labels"] = dict(labels)
    if annotations:
        meta["annotations"] = dict(annotations)
    if born is not None:
        meta["creationTimestamp"] = stamp(born)
    return {"apiVersion": api, "kind": kind, "metadata": meta, **fields}


def namespace(name: str, *, born: datetime, labels: Mapping[str, str] | None = None) -> Object:
    return obj("Namespace", name, labels=labels, born=born)


def secret(
    name: str,
    home: str,
    values: Mapping[str, str],
    *,
    born: datetime,
    labels: Mapping[str, str] | None = None,
    kind: str = "Opaque",
) -> Object:
    """A Secret from plain values; the base64 of the API is made here."""
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    made = obj("Secret", name, home, labels=labels, born=born, type=kind, data=data)
    made["metadata"]["managedFields"] = [
        {"manager": "helm", "operation": "Update", "apiVersion": "v1", "time": stamp(born)}
    ]
    return made


def config_map(
    name: str,
    home: str,
    data: Mapping[str, str],
    *,
    born: datetime,
    labels: Mapping[str, str] | None = None,
) -> Object:
    return obj("ConfigMap", name, home, labels=labels, born=born, data=dict(data))


def service(
    name: str,
    home: str,
    *,
    selector: Mapping[str, str],
    ports: Iterable[Mapping[str, Any]],
    born: datetime,
    labels: Mapping[str, str] | None = None,
    kind: str = "ClusterIP",
    cluster_ip: str = "",
) -> Object:
    """A Service; ``cluster_ip`` "None" makes it headless, "" leaves it to the address plan."""
    listed = [{"protocol": "TCP", **port} for port in ports]
    spec: Object = {"type": kind, "selector": dict(selector), "ports": listed}
    ip = cluster_ip or cluster_address(home, name)
    spec |= {"clusterIP": ip, "clusterIPs": [ip], "sessionAffinity": "None"}
    return obj("Service", name, home, labels=labels, born=born, spec=spec)


def cluster_address(home: str, name: str) -> str:
    """The cluster IP of a Service, the same in every run."""
    digest = hashlib.sha256(f"{home}/{name}".encode()).digest()
    return f"10.96.{digest[0]}.{digest[1] % 254 + 1}"


def claim(
    name: str, home: str, *, size: str, born: datetime, labels: Mapping[str, str] | None = None
) -> Object:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return obj("PersistentVolumeClaim", name, home, labels=labels, born=born, spec=spec)


def env(name: str, value: str) -> Object:
    return {"name": name, "value": value}


def env_from_field(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def env_from_secret(name: str, secret_name: str, key: str) -> Object:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret_name, "key": key}}}


def env_from_config_map(name: str, map_name: str, key: str) -> Object:
    return {"name": name, "valueFrom": {"configMapKeyRef": {"name": map_name, "key": key}}}


def deployment(
    name: str,
    home: str,
    *,
    selector: Mapping[str, str],
    labels: Mapping[str, str],
    pod_spec: Object,
    born: datetime,
    replicas: int = 1,
    kind: str = "Deployment",
    pod_labels: Mapping[str, str] | None = None,
    pod_annotations: Mapping[str, str] | None = None,
) -> Object:
    """A Deployment, StatefulSet or DaemonSet with one pod template."""
    meta: Object = {"labels": dict(pod_labels or {**labels, **selector})}
    if pod_annotations:
        meta["annotations"] = dict(pod_annotations)
    spec: Object = {
        "selector": {"matchLabels": dict(selector)},
        "template": {"metadata": meta, "spec": pod_spec},
    }
    if kind != "DaemonSet":
        spec["replicas"] = replicas
    return obj(kind, name, home, api="apps/v1", labels=labels, born=born, spec=spec)


def event(
    about: Object,
    reason: str,
    message: str,
    *,
    at: datetime,
    kind: str = "Warning",
    count: int = 1,
    first: datetime | None = None,
    source: str = "kubelet",
) -> Object:
    """An Event on an object, as kubectl describe shows it."""
    meta = about["metadata"]
    home = meta.get("namespace", "default")
    name = f"{meta['name']}.{generated(reason + message + stamp(at), 16)}"
    made = obj("Event", name, home, born=first or at)
    made["involvedObject"] = {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "name": meta["name"],
        **({"namespace": meta["namespace"]} if "namespace" in meta else {}),
        **({"uid": meta["uid"]} if "uid" in meta else {}),
    }
    made |= {"reason": reason, "message": message, "type": kind, "count": count}
    made |= {"source": {"component": source}, "reportingComponent": source}
    return made | {"firstTimestamp": stamp(first or at), "lastTimestamp": stamp(at)}
