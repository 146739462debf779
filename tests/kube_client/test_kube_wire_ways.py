"""Names, proxies, detours and trust: the wire goes where kubectl's would."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from kube_worlds import Authority, LoopbackPods, World, answering, kube_api, pod, port_of, stub

from keptn_doctor.network_settings import ConnectTo, Deadlines, NetworkSettings
from keptn_doctor.probes.environment_proxy import environment_proxy
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_access import ClusterAccess
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.secret import Secret

LIMITS = Deadlines(connect_s=10, kube_s=30)


@contextlib.asynccontextmanager
async def proxy(
    *, status: str = "200 Connection established"
) -> AsyncIterator[tuple[str, list[str]]]:
    """An HTTP proxy that answers CONNECT with ``status``; yields its URL and what was asked."""
    asked: list[str] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head)
        target = head.split()[1]
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        await writer.drain()
        if not status.startswith("200"):
            return
        there, back = await asyncio.open_connection("127.0.0.1", int(target.rpartition(":")[2]))

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            sink.close()

        await asyncio.gather(copy(reader, back), copy(there, writer))

    async with stub(handler) as url:
        yield url, asked


async def read_version(access: ClusterAccess, network: NetworkSettings | None = None) -> str:
    async with KubeClient(access, deadlines=LIMITS, network=network) as kube:
        version: dict[str, str] = await kube.get("/version", dict)
    return version["minor"].rstrip("+")


async def fault(access: ClusterAccess) -> tuple[str, str]:
    with pytest.raises(WorldFault) as caught:
        await read_version(access)
    return caught.value.failure.phase, caught.value.failure.code


@pytest.mark.asyncio
async def test_a_server_is_verified_under_its_tls_server_name(world: World) -> None:
    async with kube_api(world.tls("api.internal")) as server:
        assert await fault(world.access(server.url)) == ("tls", "certificate-name-mismatch")
        access = world.access(server.url, tls_server_name="api.internal")
        assert await read_version(access) == "24"


@pytest.mark.asyncio
async def test_the_tls_server_name_holds_through_a_proxy_and_for_websockets(world: World) -> None:
    async with (
        stub(answering("200 OK", b"pong")) as inside,
        proxy() as (proxy_url, asked),
        kube_api(
            world.tls("api.internal"),
            objects=(pod("a"),),
            pods=LoopbackPods({8081: port_of(inside)}),
        ) as server,
    ):
        access = world.access(
            server.url, tls_server_name="api.internal", proxy_url=Secret(proxy_url)
        )
        async with KubeClient(access, deadlines=LIMITS) as kube:
            stream = await kube.port_forward("keptn-exec", "a", 8081)
            await stream.write(b"GET / HTTP/1.1\r\n\r\n")
            assert (await stream.read()).startswith(b"HTTP/1.1 200")
            await stream.aclose()
        wrong = world.access(server.url, tls_server_name="api.wrong", proxy_url=Secret(proxy_url))
        async with KubeClient(wrong, deadlines=LIMITS) as kube:
            with pytest.raises(WorldFault) as caught:
                await kube.port_forward("keptn-exec", "a", 8081)
        assert caught.value.failure.code == "certificate-name-mismatch"
    assert asked[0].startswith("CONNECT 127.0.0.1:")


@pytest.mark.asyncio
async def test_a_proxy_gets_the_password_of_its_url(world: World) -> None:
    async with proxy() as (proxy_url, asked), kube_api(world.tls()) as server:
        url = proxy_url.replace("//", "//jane:open-sesame@")
        access = world.access(server.url, proxy_url=Secret(url))
        assert await read_version(access) == "24"
        assert "open-sesame" not in repr(access)
    assert "Proxy-Authorization: Basic" in asked[0]


@pytest.mark.asyncio
async def test_a_proxy_that_refuses_is_a_failure_of_the_proxy(world: World) -> None:
    async with (
        proxy(status="407 Proxy Authentication Required") as (proxy_url, _),
        kube_api(world.tls()) as server,
    ):
        access = world.access(server.url, proxy_url=Secret(proxy_url))
        assert await fault(access) == ("connect", "proxy-failed")


@pytest.mark.asyncio
async def test_a_socks_proxy_is_named_as_unsupported(world: World) -> None:
    access = world.access("https://192.0.2.1", proxy_url=Secret("socks5://192.0.2.2:1080"))
    assert await fault(access) == ("connect", "proxy-failed")


@pytest.mark.asyncio
async def test_a_detour_leads_to_another_socket_under_the_same_name(world: World) -> None:
    async with kube_api(world.tls("kube.example.com")) as server:
        detour = ConnectTo(
            host="kube.example.com", port=6443, to_host="127.0.0.1", to_port=server.port
        )
        network = NetworkSettings(connect_to=(detour,))
        access = world.access("https://kube.example.com:6443")
        assert await read_version(access, network) == "24"


@pytest.mark.asyncio
async def test_an_unknown_authority_is_not_trusted_unless_told_to(world: World) -> None:
    async with kube_api(world.tls()) as server:
        stranger = Authority("another authority").pem
        phase, code = await fault(world.access(server.url, ca_pem=stranger))
        assert phase == "tls"
        assert code in ("certificate-untrusted", "certificate-incomplete-chain")
        access = world.access(server.url, ca_pem="", insecure=True)
        assert await read_version(access) == "24"


@pytest.mark.asyncio
async def test_an_expired_server_certificate_is_said(world: World) -> None:
    async with kube_api(world.tls(days=-1)) as server:
        assert await fault(world.access(server.url)) == ("tls", "certificate-expired")


@pytest.mark.asyncio
async def test_an_authority_that_is_no_pem_is_said(world: World) -> None:
    access = world.access("https://192.0.2.1", ca_pem="hello")
    assert await fault(access) == ("auth", "credentials-unreadable")


@pytest.mark.asyncio
async def test_a_server_that_is_no_url_is_said(world: World) -> None:
    assert await fault(world.access("ftp://192.0.2.1")) == ("auth", "credentials-unreadable")


@pytest.mark.asyncio
async def test_a_server_behind_a_path_is_read_there(world: World) -> None:
    seen: list[str] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).decode().split()[1])
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"minor":"24"}')

    async with stub(handler, world.tls()) as url:
        assert await read_version(world.access(f"{url}/k8s/clusters/c-1")) == "24"
    assert seen == ["/k8s/clusters/c-1/version"]


@pytest.mark.asyncio
async def test_a_redirect_is_not_followed(world: World) -> None:
    elsewhere: list[bytes] = []

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        elsewhere.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with stub(trap) as target:
        handler = answering("302 Found", b"", Location=f"{target}/login")
        async with stub(handler, world.tls()) as url:
            assert await fault(world.access(url)) == ("http", "unexpected-status")
    assert elsewhere == []


@pytest.mark.parametrize(
    ("server", "environ", "proxy_url"),
    [
        ("https://kube.example.com", {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ("https://kube.example.com", {"https_proxy": "p:3128"}, "http://p:3128"),
        ("https://kube.example.com", {"HTTP_PROXY": "http://p:3128"}, ""),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": "http://p:3128"}, ""),
        ("https://10.1.2.3", {"HTTPS_PROXY": "http://p", "NO_PROXY": "10.0.0.0/8"}, ""),
        ("https://10.1.2.3", {"HTTPS_PROXY": "http://p", "NO_PROXY": "192.168.0.0/16"}, "http://p"),
        ("https://kube.example.com", {"HTTPS_PROXY": "http://p", "NO_PROXY": "x,.example.com"}, ""),
        (
            "https://example.com",
            {"HTTPS_PROXY": "http://p", "NO_PROXY": ".example.com"},
            "http://p",
        ),
        (
            "https://kube.example.com",
            {"HTTPS_PROXY": "http://p", "NO_PROXY": "ample.com"},
            "http://p",
        ),
        ("https://kube.example.com", {"HTTPS_PROXY": "http://p", "no_proxy": "*"}, ""),
    ],
)
def test_proxies_of_the_environment_follow_gos_rules(
    server: str, environ: dict[str, str], proxy_url: str
) -> None:
    assert environment_proxy(server, environ) == proxy_url
