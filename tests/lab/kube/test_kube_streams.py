"""Logs, port-forward and the proxies, through sockets."""

from __future__ import annotations

import ssl
import struct
from typing import Any

import aiohttp
import pytest
from kube_lab import ADMIN, NOW, PODS, READER, ClientFor, EchoPods, StartServer, running_pod, users

from keptn_doctor.lab.kube import Cluster, KubeApiServer, Rule, User


def socket_url(server: KubeApiServer, port: int) -> str:
    return f"{server.url}{PODS}/helm-service-0/portforward?ports={port}"


@pytest.mark.asyncio
async def test_a_log_is_cut_to_the_lines_asked_for(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [running_pod()], users()), EchoPods())
    async with client_for(server) as client:
        answer = await client.get(f"{PODS}/helm-service-0/log?tailLines=2")
    assert answer.text == "two\nthree\n"
    assert answer.headers["Content-Type"] == "text/plain"


@pytest.mark.asyncio
async def test_channels_carry_bytes_to_the_pod_and_back(
    start: StartServer, upper: int, trust: ssl.SSLContext
) -> None:
    server = await start(
        Cluster("1.20", [running_pod()], users(), lambda: NOW), EchoPods(loopback={8081: upper})
    )
    headers = {"Authorization": f"Bearer {ADMIN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(
            socket_url(server, 8081), protocols=("v4.channel.k8s.io",), ssl=trust
        ) as socket,
    ):
        assert socket.protocol == "v4.channel.k8s.io"
        port = struct.pack("<H", 8081)
        assert await socket.receive_bytes(timeout=5) == b"\0" + port
        assert await socket.receive_bytes(timeout=5) == b"\1" + port
        await socket.send_bytes(b"\0hello")
        assert await socket.receive_bytes(timeout=5) == b"\0HELLO"


@pytest.mark.asyncio
async def test_a_refused_port_is_told_on_the_error_channel(
    start: StartServer, trust: ssl.SSLContext
) -> None:
    server = await start(Cluster("1.20", [running_pod()], users()), EchoPods())
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN}"}) as session,
        session.ws_connect(
            socket_url(server, 9999), protocols=("v4.channel.k8s.io",), ssl=trust
        ) as socket,
    ):
        await socket.receive_bytes(timeout=5)
        await socket.receive_bytes(timeout=5)
        complaint = await socket.receive_bytes(timeout=5)
        assert complaint[0] == 1
        assert b"connection refused" in complaint
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE


@pytest.mark.asyncio
async def test_port_forward_needs_its_own_right(start: StartServer, trust: ssl.SSLContext) -> None:
    server = await start(Cluster("1.24", [running_pod()], users()), EchoPods())
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {READER}"}) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(socket_url(server, 8081), ssl=trust)
    assert caught.value.status == 403


@pytest.mark.asyncio
async def test_a_websocket_on_a_new_server_also_needs_the_right_to_create(
    start: StartServer, trust: ssl.SSLContext, upper: int
) -> None:
    rule = Rule(resources=("pods/portforward",), verbs=("get",))
    found = {READER: User(name="reader", rules=(rule,))}
    statuses = {}
    for generation in ("1.34", "1.35"):
        server = await start(
            Cluster(generation, [running_pod()], found), EchoPods(loopback={8081: upper})
        )
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {READER}"}) as session:
            try:
                socket = await session.ws_connect(
                    socket_url(server, 8081), protocols=("v4.channel.k8s.io",), ssl=trust
                )
                statuses[generation] = 101
                await socket.close()
            except aiohttp.WSServerHandshakeError as error:
                statuses[generation] = error.status
    assert statuses == {"1.34": 101, "1.35": 403}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"status": {"phase": "Pending"}}, 500, "pod not running"),
        ({"spec": {"nodeName": None}}, 400, "does not have a host assigned"),
    ],
)
async def test_a_pod_that_does_not_run_refuses_port_forward(
    change: dict[str, Any], status: int, words: str, start: StartServer, client_for: ClientFor
) -> None:
    cluster = Cluster("1.24", [running_pod()], users())
    cluster.patch("pods", "helm-service-0", change, "keptn-exec")
    server = await start(cluster, EchoPods())
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    async with client_for(server) as client:
        answer = await client.get(f"{PODS}/helm-service-0/portforward?ports=1", headers=headers)
    assert answer.status_code == status
    assert words in answer.text


@pytest.mark.asyncio
async def test_several_ports_share_one_websocket(
    start: StartServer, upper: int, trust: ssl.SSLContext
) -> None:
    server = await start(
        Cluster("1.24", [running_pod()], users()), EchoPods(loopback={1: upper, 2: upper})
    )
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN}"}) as session,
        session.ws_connect(
            f"{socket_url(server, 1)}&ports=2", protocols=("v4.channel.k8s.io",), ssl=trust
        ) as socket,
    ):
        opened = [await socket.receive_bytes(timeout=5) for _ in range(4)]
        assert [message[0] for message in opened] == [0, 1, 2, 3]
        await socket.send_bytes(b"\2second")
        assert await socket.receive_bytes(timeout=5) == b"\2SECOND"
        await socket.send_bytes(b"\0first")
        assert await socket.receive_bytes(timeout=5) == b"\0FIRST"


CREATING = {"waiting": {"reason": "ContainerCreating"}}
WAITING = {"waiting": {"reason": "ImagePullBackOff"}}
RUNNING = {"running": {"startedAt": "2026-11-23T11:00:00Z"}}
ENDED = {"terminated": {"exitCode": 1}}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("states", "query", "answer"),
    [
        ((RUNNING, {}), "", (200, "three")),
        ((RUNNING, {}), "?previous=true", (400, "previous terminated container")),
        ((RUNNING, ENDED), "?previous=true", (200, "previous life")),
        ((WAITING, {}), "", (400, "is waiting to start: trying and failing to pull image")),
        ((WAITING, ENDED), "", (200, "three")),
        ((CREATING, {}), "", (400, "is waiting to start: ContainerCreating")),
        ((RUNNING, {}), "?tailLines=-1", (422, "must be greater than or equal to 0")),
        ((RUNNING, {}), "?tailLines=x", (400, "strconv.ParseInt")),
        ((RUNNING, {}), "?limitBytes=4", (200, "one")),
        ((RUNNING, {}), "?sinceTime=x", (400, "parsing time")),
        ((RUNNING, {}), "?sinceTime=2026-11-23T13:49:00Z", (200, "since 60")),
        ((RUNNING, {}), "?sinceTime=2026-11-23T13:49:00Z&sinceSeconds=5", (422, "at most one")),
    ],
)
async def test_the_kubelet_gives_a_log_only_where_there_was_a_container(
    states: tuple[dict[str, Any], dict[str, Any]],
    query: str,
    answer: tuple[int, str],
    start: StartServer,
    client_for: ClientFor,
) -> None:
    container = {"name": "distributor", "state": states[0], "lastState": states[1]}
    pod = running_pod(containerStatuses=[container])
    server = await start(Cluster("1.24", [pod], users(), lambda: NOW), EchoPods())
    async with client_for(server) as client:
        got = await client.get(f"{PODS}/helm-service-0/log{query}")
    assert got.status_code == answer[0]
    assert answer[1] in got.text


class DeadNode(EchoPods):
    async def logs(self, *_arguments: Any) -> str | None:
        raise ConnectionRefusedError


@pytest.mark.asyncio
async def test_a_log_behind_a_dead_kubelet_is_an_internal_error(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [running_pod()], users()), DeadNode())
    async with client_for(server) as client:
        answer = await client.get(f"{PODS}/helm-service-0/log")
    assert answer.status_code == 500
    assert "dial tcp node-1:10250: connect: connection refused" in answer.json()["message"]


def service(**spec: Any) -> dict[str, Any]:
    port = {"name": "http", "port": 80, "targetPort": "web"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "helm", "namespace": "keptn-exec"},
        "spec": {"selector": {"app": "helm-service"}, "ports": [port], **spec},
    }


def web_pod() -> dict[str, Any]:
    pod = running_pod()
    pod["spec"]["containers"][0]["ports"] = [{"name": "web", "containerPort": 8080}]
    return pod


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("pods/helm-service-0:8080/proxy/health?x=1%202", "GET /health?x=1%202 HTTP/1.1"),
        ("pods/helm-service-0/proxy/", "GET / HTTP/1.1"),
        ("services/helm:http/proxy/a%2Fb", "GET /a%2Fb HTTP/1.1"),
        ("services/helm:80/proxy/", "GET / HTTP/1.1"),
        ("services/http:helm:80/proxy/", "GET / HTTP/1.1"),
    ],
)
async def test_the_proxies_carry_a_request_to_the_pods_address(
    path: str, line: str, start: StartServer, client_for: ClientFor, web_page: int
) -> None:
    server = await start(
        Cluster("1.24", [web_pod(), service()], users()), EchoPods(pod_ip={8080: web_page})
    )
    async with client_for(server) as client:
        answer = await client.get(f"/api/v1/namespaces/keptn-exec/{path}")
    assert (answer.status_code, answer.text) == (200, line)


@pytest.mark.asyncio
async def test_the_proxy_does_not_reach_what_listens_on_the_loopback_only(
    start: StartServer, client_for: ClientFor, web_page: int
) -> None:
    server = await start(Cluster("1.24", [web_pod()], users()), EchoPods(loopback={8080: web_page}))
    async with client_for(server) as client:
        answer = await client.get(f"{PODS}/helm-service-0:8080/proxy/")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "ServiceUnavailable"
    assert answer.json()["message"] == (
        "error trying to reach service: dial tcp 10.1.0.5:8080: connect: connection refused"
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("objects", "path", "words"),
    [
        ([service()], "services/helm:http", "no endpoints available for service"),
        ([service(), web_pod()], "services/helm:nope", "no service port"),
    ],
)
async def test_a_service_without_a_way_in_is_unavailable(
    objects: list[dict[str, Any]],
    path: str,
    words: str,
    start: StartServer,
    client_for: ClientFor,
) -> None:
    server = await start(Cluster("1.24", objects, users()), EchoPods())
    async with client_for(server) as client:
        answer = await client.get(f"/api/v1/namespaces/keptn-exec/{path}/proxy/")
    assert answer.status_code == 503
    assert words in answer.json()["message"]


@pytest.mark.asyncio
async def test_an_endpoint_slice_decides_which_pod_answers(
    start: StartServer, client_for: ClientFor, web_page: int
) -> None:
    slices = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "helm-abc",
            "namespace": "keptn-exec",
            "labels": {"kubernetes.io/service-name": "helm"},
        },
        "addressType": "IPv4",
        "endpoints": [
            {
                "addresses": ["10.1.0.5"],
                "conditions": {"ready": False},
                "targetRef": {"kind": "Pod", "name": "helm-service-0"},
            }
        ],
    }
    cluster = Cluster("1.24", [web_pod(), service(), slices], users())
    server = await start(cluster, EchoPods(pod_ip={8080: web_page}))
    path = "/api/v1/namespaces/keptn-exec/services/helm:http/proxy/"
    async with client_for(server) as client:
        assert (await client.get(path)).status_code == 503
        slices["endpoints"][0]["conditions"]["ready"] = True
        cluster.add(slices)
        assert (await client.get(path)).status_code == 200
