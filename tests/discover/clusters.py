"""Clusters of hand-made objects on the loopback, and a session that looks at them."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from keptn_doctor.lab.kube import Cluster, KubeApiServer, PodBackend, Rule, User
from keptn_doctor.model.failure import Failure
from keptn_doctor.model.topology import KeptnService, Topology
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.session import Session
from keptn_doctor.targets import ApiTarget, ClusterTarget, Targets

Object = dict[str, Any]
ADMIN = "fake-admin-token"
READER = "fake-reader-token"
TOKEN = "fake-keptn-token-0123456789"
NOW = datetime(2022, 6, 1, 12, tzinfo=UTC)


def obj(kind: str, name: str, namespace: str = "", **fields: Any) -> Object:
    versions = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1",
                "ReplicaSet": "apps/v1", "Ingress": "networking.k8s.io/v1",
                "IngressClass": "networking.k8s.io/v1", "NetworkPolicy": "networking.k8s.io/v1",
                "StorageClass": "storage.k8s.io/v1"}  # fmt: skip
    metadata = {"name": name, **fields.pop("metadata", {})}
    if namespace:
        metadata["namespace"] = namespace
    return {
        "apiVersion": versions.get(kind, "v1"), "kind": kind, "metadata": metadata, **fields,
    }  # fmt: skip


def secret(name: str, namespace: str, **values: str) -> Object:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return obj("Secret", name, namespace, data=data)


def env(**values: str) -> list[Object]:
    return [{"name": name, "value": value} for name, value in values.items()]


def field(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def from_key(name: str, kind: str, source: str, key: str) -> Object:
    return {"name": name, "valueFrom": {kind: {"name": source, "key": key}}}


NAMED = [
    field("K8S_DEPLOYMENT_NAME", "metadata.labels['app.kubernetes.io/name']"),
    field("K8S_NAMESPACE", "metadata.namespace"),
    field("K8S_NODE_NAME", "spec.nodeName"),
    field("K8S_POD_NAME", "metadata.name"),
]


def distributor(variables: list[Object], *, version: str = "0.18.0") -> Object:
    return {
        "name": "distributor",
        "image": f"docker.io/keptn/distributor:{version}",
        "env": [*variables, *NAMED],
    }


def deployment(
    name: str,
    namespace: str,
    containers: list[Object],
    *,
    replicas: int = 1,
    labels: dict[str, str] | None = None,
    kind: str = "Deployment",
) -> Object:
    labels = {"app.kubernetes.io/name": name, **(labels or {})}
    return obj(
        kind, name, namespace,
        metadata={"labels": labels, "uid": f"uid-{name}"},
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    )  # fmt: skip


def running(
    name: str, namespace: str, *, node: str = "node-1", containers: Iterable[str]
) -> list[Object]:
    """The replica set and one ready pod of a Deployment."""
    hashed = f"{name}-5d9c7b"
    replica_set = obj(
        "ReplicaSet", hashed, namespace,
        metadata={"ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": f"uid-{name}",
             "controller": True}]},
        spec={"replicas": 1, "selector": {"matchLabels": {}},
              "template": {"spec": {"containers": []}}},
    )  # fmt: skip
    started = (NOW - timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    pod = obj(
        "Pod", f"{hashed}-x2x4z", namespace,
        metadata={"labels": {"app.kubernetes.io/name": name, "pod-template-hash": "5d9c7b"},
                  "ownerReferences": [
                      {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": hashed,
                       "uid": "uid-rs", "controller": True}]},
        spec={"nodeName": node, "containers": [{"name": c, "image": "x"} for c in containers]},
        status={"phase": "Running", "podIP": "10.1.0.9", "containerStatuses": [
            {"name": c, "ready": True, "restartCount": 0, "image": "x", "imageID": "",
             "state": {"running": {"startedAt": started}}} for c in containers]},
    )  # fmt: skip
    return [replica_set, pod]


def remote(endpoint: str = "http://keptn.example.com/api", token: str = TOKEN) -> list[Object]:
    return env(KEPTN_API_ENDPOINT=endpoint, KEPTN_API_TOKEN=token,
               PUBSUB_TOPIC="sh.keptn.event.deployment.triggered")  # fmt: skip


def helm_service(
    namespace: str = "keptn-exec", name: str = "helm-service", *,
    variables: list[Object] | None = None, version: str = "0.18.0", replicas: int = 1,
    node: str = "node-1",
) -> list[Object]:  # fmt: skip
    """A distributor-borne service with its pod."""
    sidecar = distributor(remote() if variables is None else variables, version=version)
    main = {"name": name, "image": f"ghcr.io/keptn-contrib/{name}:0.18.1"}
    made = [deployment(name, namespace, [main, sidecar], replicas=replicas)]
    if replicas:
        made += running(name, namespace, node=node, containers=[name, "distributor"])
    return made


def control_plane(namespace: str = "keptn", version: str = "1.4.5") -> list[Object]:
    """The gateway and the three workloads that matter, without pods."""
    labels = {"app.kubernetes.io/part-of": "keptn", "app.kubernetes.io/component": "keptn",
              "app.kubernetes.io/version": version}  # fmt: skip
    token = from_key("SECRET_TOKEN", "secretKeyRef", "keptn-api-token", "keptn-api-token")
    made = [
        obj("Namespace", namespace),
        secret("keptn-api-token", namespace, **{"keptn-api-token": TOKEN}),
        obj("Service", "api-gateway-nginx", namespace,
            spec={"type": "LoadBalancer", "clusterIP": "10.96.0.20",
                  "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
            status={"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}}),
    ]  # fmt: skip
    for name in ("api-gateway-nginx", "shipyard-controller", "api-service"):
        image = "nginx:1.25.1" if "nginx" in name else f"ghcr.io/keptn/{name}:{version}"
        container = {"name": name, "image": image, "env": [token] if name == "api-service" else []}
        made.append(deployment(name, namespace, [container], labels=labels))
    return made


class Fleet:
    """Servers by target name, with the kubeconfig that leads to them."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._folder, self._stack = folder, stack
        self.servers: dict[str, KubeApiServer] = {}
        self._contexts: dict[str, str] = {}

    async def add(
        self, name: str, objects: Iterable[Object], *, rules: tuple[Rule, ...] | None = None,
        pods: PodBackend | None = None, generation: str = "1.24", same_as: str = "",
    ) -> KubeApiServer:  # fmt: skip
        """Start a cluster; with ``rules`` the user has those alone."""
        user = User(name="admin", groups=("system:masters",))
        if rules is not None:
            user = User(name="jane", rules=rules)
        if same_as:
            server = self.servers[same_as]
        else:
            cluster = Cluster(generation, objects, users={ADMIN: user}, name=name)
            server = await self._stack.enter_async_context(KubeApiServer(cluster, pods))
        self.servers[name] = server
        self._contexts[name] = server.url
        return server

    def kubeconfig(self) -> Path:
        document = {
            "apiVersion": "v1", "kind": "Config", "current-context": next(iter(self._contexts)),
            "clusters": [
                {"name": n, "cluster": {"server": url}} for n, url in self._contexts.items()],
            "users": [{"name": "jane", "user": {"token": ADMIN}}],
            "contexts": [{"name": n, "context": {"cluster": n, "user": "jane"}}
                         for n in self._contexts],
        }  # fmt: skip
        path = self._folder / "config"
        path.write_text(yaml.safe_dump(document))
        return path

    def targets(
        self, *, control: str = "cp", planes: tuple[str, ...] = ("exec-a",),
        namespaces: dict[str, tuple[str, ...]] | None = None, api: ApiTarget | None = None,
    ) -> Targets:  # fmt: skip
        config = str(self.kubeconfig())

        def target(name: str) -> ClusterTarget:
            wanted = (namespaces or {}).get(name, ())
            return ClusterTarget(name=name, context=name, kubeconfig=config, namespaces=wanted)

        return Targets(
            control_plane=target(control) if control else None,
            execution_planes=tuple(target(name) for name in planes),
            api=api,
            deadlines=Deadlines(connect_s=2, request_s=2, kube_s=5, run_s=20),
        )


@asynccontextmanager
async def fleet(folder: Path) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        yield Fleet(folder, stack)


@asynccontextmanager
async def session_on(targets: Targets) -> AsyncIterator[Session]:
    recorder = Recorder(now=lambda: datetime.now(UTC))
    async with Session(targets, recorder, salt=b"salt", environ={}) as session:
        yield session


def service(topology: Topology, subject: str) -> KeptnService:
    return next(s for s in topology.services if s.subject == subject)


def failures(session: Session, probe: str) -> list[Failure]:
    return [
        o.result for o in session.recorder.observations
        if o.probe == probe and isinstance(o.result, Failure)
    ]  # fmt: skip


def crashes(session: Session) -> list[Failure]:
    return [f for o in session.recorder.observations if isinstance(f := o.result, Failure)
            and f.code == "probe-crashed"]  # fmt: skip
