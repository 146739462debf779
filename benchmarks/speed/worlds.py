"""Worlds of a given size: how many planes, Keptn services and other pods there are.

Only the size differs; every world is healthy unless a plane is named slow or dead. The other pods
are what a shared cluster is full of: each belongs to a Deployment of five, with the fields that a
real one has, about 6 KB.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keptn_doctor.lab.kube.misbehaviour import Misbehaviour
from keptn_doctor.lab.levers import (
    ClusterLevers,
    ContextLevers,
    NodeLevers,
    OperatorLevers,
    PlaneLevers,
    ServiceLevers,
)
from keptn_doctor.lab.scenario import Scenario
from keptn_doctor.lab.world import Lab

_CHARTS = ("helm-service", "jmeter-service", "job-executor-service")
_REPLICAS = 5
_TEAMS = 10  # namespaces that the other pods are spread over
_PODS_ON_A_NODE = 100  # a kubelet takes 110 pods, some of which are not ours
_SLOW_S = 2.0
RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A world's measure; services and pods are totals over all planes."""

    planes: int = 2
    services: int = 3
    pods: int = 0
    slow: int = 0  # planes whose API server takes two seconds for each answer
    dead: int = 0  # planes whose API server does not answer at all
    busy: int = 0  # planes whose API server answers one request with 429, Retry-After 1 s


def scenario(size: Size) -> Scenario:
    """The world without its other pods."""
    planes: dict[str, PlaneLevers | None] = {"exec-a": None, "exec-b": None}
    contexts, service = {}, itertools.count()
    for number, services in enumerate(_shares(size.services, size.planes)):
        name = plane_name(number)
        planes[name] = PlaneLevers(
            namespace=f"keptn-{number:03}",
            cluster=ClusterLevers(
                nodes=tuple(
                    NodeLevers(name=f"{name}-node-{n + 1}", cpu="64", memory="256Gi")
                    for n in range(1 + services // _PODS_ON_A_NODE)
                ),
                api_server=_manners(size, number),
            ),
            services={
                _service_name(next(service)): ServiceLevers() for _ in range(services)
            },
            nat_address=f"198.51.{100 + number // 200}.{20 + number % 200}",
        )
        if size.slow <= number < size.slow + size.dead:
            contexts[name] = ContextLevers(server="unreachable")
    return Scenario(
        title=f"{size.planes} planes, {size.services} Keptn services, {size.pods} other pods",
        execution_planes=planes,
        operator=OperatorLevers(contexts=contexts),
    )


def _manners(size: Size, number: int) -> tuple[Misbehaviour, ...]:
    """What ails the API server of a plane; the dead ones are dead for the kubeconfig alone."""
    if number < size.slow:
        return (Misbehaviour(kind="slow", seconds=_SLOW_S),)
    if number < size.busy:
        return (Misbehaviour(kind="too-many-requests", seconds=RETRY_AFTER_S, times=1),)
    return ()


def plane_name(number: int) -> str:
    return f"plane-{number:03}"


def _service_name(number: int) -> str:
    """One of its own: services of one name in two planes would compete for events."""
    return f"s{number:04}-{_CHARTS[number % len(_CHARTS)]}"


def fill(lab: Lab, size: Size) -> None:
    """Put the other pods into the clusters of a running world."""
    for number, count in enumerate(_shares(size.pods, size.planes)):
        cluster = lab.clusters[plane_name(number)]
        for team in range(min(_TEAMS, count)):
            cluster.add({"apiVersion": "v1", "kind": "Namespace", "metadata": _meta(_team(team))})
        for obj in _others(count, node=f"{plane_name(number)}-node-1"):
            cluster.add(obj)


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (n < total % parts) for n in range(parts)]


def _team(number: int) -> str:
    return f"team-{number % _TEAMS}"


def _meta(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **more}


def _others(count: int, *, node: str) -> Iterator[dict[str, Any]]:
    for index in range(count):
        app, namespace = f"app-{index // _REPLICAS}", _team(index // _REPLICAS)
        labels = {"app": app, "pod-template-hash": "5d4f8c7b9"}
        template = {"metadata": {"labels": labels}, "spec": _pod_spec(app)}
        if index % _REPLICAS == 0:
            for kind, name, owner in (
                ("Deployment", app, None), ("ReplicaSet", f"{app}-5d4f8c7b9", app)
            ):  # fmt: skip
                yield {
                    "apiVersion": "apps/v1", "kind": kind,
                    "metadata": _meta(
                        name, namespace=namespace, labels=labels,
                        **_owned("Deployment", owner, "apps/v1"),
                    ),
                    "spec": {
                        "replicas": _REPLICAS, "selector": {"matchLabels": labels},
                        "template": template,
                    },
                    "status": {"replicas": _REPLICAS, "readyReplicas": _REPLICAS},
                }  # fmt: skip
        yield {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": _meta(
                f"{app}-5d4f8c7b9-{index:05}", namespace=namespace, labels=labels,
                **_owned("ReplicaSet", f"{app}-5d4f8c7b9", "apps/v1"),
            ),
            "spec": {**_pod_spec(app), "nodeName": node},
            "status": _pod_status(app),
        }  # fmt: skip


def _owned(kind: str, name: str | None, version: str) -> dict[str, Any]:
    if name is None:
        return {}
    owner = {"apiVersion": version, "kind": kind, "name": name, "uid": f"uid-{name}",
             "controller": True}  # fmt: skip
    return {"ownerReferences": [owner]}


def _pod_spec(app: str) -> dict[str, Any]:
    variables = [{"name": f"SETTING_{n}", "value": f"value-of-setting-{n}"} for n in range(25)]
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10}
    return {
        "containers": [
            {
                "name": name, "image": f"registry.example.com/shop/{app}-{name}:1.17.3",
                "env": variables, "ports": [{"containerPort": 8080}],
                "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
                "livenessProbe": probe, "readinessProbe": probe,
                "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets"}],
            }
            for name in ("main", "sidecar")
        ],
        "serviceAccountName": "default",
        "volumes": [{"name": "token", "emptyDir": {}}],
    }  # fmt: skip


def _pod_status(app: str) -> dict[str, Any]:
    since = "2026-01-01T00:00:00Z"
    return {
        "phase": "Running", "podIP": "10.42.7.7", "startTime": since,
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": since}
            for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        ],
        "containerStatuses": [
            {
                "name": name, "ready": True, "restartCount": 0, "started": True,
                "image": f"registry.example.com/shop/{app}-{name}:1.17.3",
                "imageID": f"registry.example.com/shop/{app}-{name}@sha256:{'0' * 64}",
                "containerID": f"containerd://{'0' * 64}",
                "state": {"running": {"startedAt": since}},
            }
            for name in ("main", "sidecar")
        ],
    }  # fmt: skip
