"""Logs, port-forward and the proxies, through sockets."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx
import pytest
import pytest_asyncio
from conftest import ADMIN, NOW, READER, Authority, users

from keptn_doctor.lab.kube import Cluster, KubeApiServer, cut_log

StartServer = Callable[..., Awaitable[KubeApiServer]]
ClientFor = Callable[..., httpx.AsyncClient]

PODS = "/api/v1/namespaces/keptn-exec/pods"


@dataclass
class EchoPods:
    """One running pod whose ports lead to a real listener on this machine."""

    loopback: dict[int, int] = field(default_factory=dict)
    pod_ip: dict[int, int] = field(default_factory=dict)
    lines: tuple[str, ...] = ("one", "two", "three")

    async def logs(
        self, namespace: str, pod: str, container: str, *, tail_lines: int | None, **options: Any
    ) -> str | None:
        if options["previous"]:
            return f"previous life of {container}\n"
        return cut_log(list(self.lines), tail_lines=tail_lines, limit_bytes=options["limit_bytes"])

    async def open_port(
        self, namespace: str, pod: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await _open(self.loopback, port)

    async def open_pod_ip(
        self, namespace: str, pod: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await _open(self.pod_ip, port)


async def _open(
    ports: dict[int, int], port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if port not in ports:
        raise ConnectionRefusedError
    return await asyncio.open_connection("127.0.0.1", ports[port])


def running_pod(name: str = "helm-service-0", **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "keptn-exec", "labels": {"app": "helm-service"}},
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "distributor", "image": "keptn/distributor:0.18.0"}],
        },
        "status": {"phase": "Running", "podIP": "10.1.0.5", **status},
    }


@pytest_asyncio.fixture
async def upper() -> AsyncIterator[int]:
    """A listener that answers each block in capitals; the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(4096):
            writer.write(block.upper())
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.file))


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
