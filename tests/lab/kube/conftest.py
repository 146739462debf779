"""A server for each test and clients that trust it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from kube_lab import ADMIN, Authority, ClientFor, StartServer, make_authority

from keptn_doctor.lab.kube import Cluster, KubeApiServer, PodBackend, server_context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def tls(authority: Authority) -> ssl.SSLContext:
    folder = authority.folder
    return server_context(
        folder / "server.pem", folder / "server.key", client_authority=authority.file
    )


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.file))


@pytest_asyncio.fixture
async def start(tls: ssl.SSLContext) -> AsyncIterator[StartServer]:
    """Start servers that end with the test: ``await start(cluster, pods)``."""
    async with AsyncExitStack() as stack:

        async def begin(
            cluster: Cluster, pods: PodBackend | None = None, **options: Any
        ) -> KubeApiServer:
            return await stack.enter_async_context(KubeApiServer(cluster, pods, tls, **options))

        yield begin


@pytest.fixture
def client_for(authority: Authority) -> ClientFor:
    """An httpx client for a server, with a token, a client certificate or neither."""

    def make(
        server: KubeApiServer,
        token: str | None = ADMIN,
        *,
        certificate: tuple[Path, Path] | None = None,
    ) -> httpx.AsyncClient:
        context = ssl.create_default_context(cafile=str(authority.file))
        if certificate is not None:
            context.load_cert_chain(*certificate)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(
            base_url=server.url, headers=headers, verify=context, timeout=5, trust_env=False
        )

    return make


@pytest_asyncio.fixture
async def upper() -> AsyncIterator[int]:
    """A listener that answers each block in capitals; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(4096):
            writer.write(block.upper())
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest_asyncio.fixture
async def web_page() -> AsyncIterator[int]:
    """A tiny HTTP server that answers with the request line it got; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = head.split(b"\r\n")[0]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
