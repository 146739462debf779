"""Logs, port-forward and the proxies, through sockets."""

from __future__ import annotations

import ssl
import struct

import aiohttp
import pytest
from kube_lab import ADMIN, NOW, PODS, READER, ClientFor, EchoPods, StartServer, running_pod, users

from keptn_doctor.lab.kube import Cluster, KubeApiServer


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
