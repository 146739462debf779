"""The HTTP rung: bounded in time and size, honest about redirects, silent about tokens."""

from __future__ import annotations

import asyncio
import base64
import urllib.parse
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from keptn_doctor.model.path_facts import HttpAnswer
from keptn_doctor.network_settings import ConnectTo, NetworkSettings
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.http import Ask, Exchange, ask, body_kind
from keptn_doctor.probes.network import Network
from keptn_doctor.secret import Secret

from . import pki
from .conftest import Handler, Serve, Zone, hang_up, reset, silent

pytestmark = pytest.mark.asyncio

TOKEN = "Uv3+w/Xyz12=abcDEF456ghiJKL789mnoPQR"  # made up


class Site:
    """Answers by path, as whole responses; remembers the requests it got."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.requests: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append(head)
        page = self.pages.get(head.split()[1], "404 Not Found\n\nnothing here")
        headers, _, body = page.partition("\n\n")
        status, *rest = headers.split("\n")
        lines = [f"HTTP/1.1 {status}", *rest, f"Content-Length: {len(body.encode())}"]
        writer.write(("\r\n".join([*lines, "Connection: close", "", body])).encode())
        await writer.drain()


def sends(*parts: bytes, then: Handler | None = None) -> Handler:
    """A server that reads a request and sends these bytes, whatever was asked."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
        await writer.drain()
        if then:
            await then(reader, writer)

    return handler


async def failure(
    network: Network, url: str, how: Ask | None = None
) -> tuple[str, str, int]:
    with pytest.raises(WorldFault) as caught:
        await ask(network, url, how)
    found = caught.value.failure
    return found.phase, found.code, found.status


async def test_an_answer_is_recorded_with_what_identifies_the_speaker(
    serve: Serve, network: Network
) -> None:
    site = Site()
    site.pages["/x"] = (
        "401 Unauthorized\nServer: nginx\nContent-Type: text/html; charset=utf-8\n"
        "Date: Tue, 24 Nov 2026 18:22:01 GMT\nVia: 1.1 squid\n\n"
        "<html><head><title>401  Authorization &amp; more</title></head></html>"
    )
    url = f"http://127.0.0.1:{await serve(site)}/x"
    seen = (await ask(network, url)).answer
    assert (seen.status, seen.reason, seen.server) == (401, "Unauthorized", "nginx")
    assert (seen.body, seen.title) == ("html", "401 Authorization & more")
    assert (seen.content_type, seen.via) == ("text/html", "via: 1.1 squid")
    assert seen.date == datetime(2026, 11, 24, 18, 22, 1, tzinfo=UTC)


async def test_the_message_of_a_json_error_is_its_title(serve: Serve, network: Network) -> None:
    site = Site()
    site.pages["/x"] = '401 No\nContent-Type: text/plain\n\n{"code":401,"message":"bad key"}'
    seen = (await ask(network, f"http://127.0.0.1:{await serve(site)}/x")).answer
    assert (seen.body, seen.title) == ("json", "bad key")


async def test_a_body_that_drips_ends_at_the_deadline(serve: Serve, network: Network) -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.005)

    port = await serve(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", then=drip))
    how = Ask(deadline_s=0.08)
    assert await failure(network, f"http://127.0.0.1:{port}/", how) == ("http", "read-timeout", 200)


async def test_a_server_that_accepts_and_says_nothing_ends_at_the_deadline(
    serve: Serve, network: Network
) -> None:
    how = Ask(deadline_s=0.05)
    plain = f"http://127.0.0.1:{await serve(silent)}/"
    secure = f"https://127.0.0.1:{await serve(silent)}/"
    assert await failure(network, plain, how) == ("http", "read-timeout", 0)
    assert await failure(network, secure, how) == ("tls", "read-timeout", 0)


async def test_a_body_without_end_is_cut_off_early(serve: Serve, network: Network) -> None:
    sent = 0

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while sent < 1 << 30 and not writer.is_closing():
            writer.write(b"x" * 65536)
            sent += 65536
            await writer.drain()

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n"
    url = f"http://127.0.0.1:{await serve(sends(head, then=flood))}/"
    assert await failure(network, url) == ("http", "too-large", 200)
    assert sent < 64 << 20


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (reset, ("http", "connection-reset", 0)),
        (hang_up, ("http", "connection-closed", 0)),
        (sends(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), ("http", "protocol-error", 0)),
        (
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
            ("http", "truncated", 200),
        ),
    ],
    ids=["reset", "hang-up", "not-http", "cut-short"],
)
async def test_a_broken_exchange_says_how_it_broke(
    handler: Handler, expected: tuple[str, str, int], serve: Serve, network: Network
) -> None:
    assert await failure(network, f"http://127.0.0.1:{await serve(handler)}/") == expected


async def test_redirects_are_followed_and_recorded(serve: Serve, network: Network) -> None:
    site = Site()
    port = await serve(site)
    site.pages["/a"] = "301 Moved\nLocation: /b?secret=1\n\n"
    site.pages["/b?secret=1"] = "200 OK\n\nhello"
    seen = (await ask(network, f"http://127.0.0.1:{port}/a")).answer
    base = f"http://127.0.0.1:{port}"
    assert seen.redirects == (f"301 {base}/a -> {base}/b?…",)
    assert (seen.status, seen.title, seen.url) == (200, "hello", f"{base}/b?…")


async def test_a_redirect_can_be_the_answer(serve: Serve, network: Network) -> None:
    site = Site()
    port = await serve(site)
    site.pages["/a"] = "307 Moved\nLocation: https://other.example.com/login?state=1\n\n"
    seen = (await ask(network, f"http://127.0.0.1:{port}/a", Ask(most_redirects=0))).answer
    assert (seen.status, seen.location) == (307, "https://other.example.com/login?…")


async def test_a_redirect_loop_and_an_endless_chain_are_too_many(
    serve: Serve, network: Network
) -> None:
    site = Site()
    port = await serve(site)
    site.pages["/a"], site.pages["/b"] = "302 F\nLocation: /b\n\n", "302 F\nLocation: /a\n\n"
    for step in range(9):
        site.pages[f"/{step}"] = f"302 F\nLocation: /{step + 1}\n\n"
    expected = ("http", "too-many-redirects", 302)
    assert await failure(network, f"http://127.0.0.1:{port}/a") == expected
    assert await failure(network, f"http://127.0.0.1:{port}/0") == expected
    assert len(site.requests) == 2 + 6


async def test_a_token_never_follows_a_redirect_to_another_host(serve: Serve) -> None:
    here, there = Site(), Site()
    port = await serve(there)
    rule = ConnectTo(host="other.example.com", port=80, to_host="127.0.0.1", to_port=port)
    here.pages["/a"] = "302 Found\nLocation: http://other.example.com/b\n\n"
    here.pages["/same"] = "302 Found\nLocation: /c\n\n"
    here.pages["/c"] = there.pages["/b"] = "200 OK\n\n"
    network = Network(NetworkSettings(connect_to=(rule,)))
    base = f"http://127.0.0.1:{await serve(here)}"
    how = Ask(token=Secret(TOKEN))
    assert not (await ask(network, f"{base}/a", how)).token_sent
    assert (await ask(network, f"{base}/same", how)).token_sent
    assert "Host: other.example.com\r\n" in there.requests[0]
    assert "x-token" not in there.requests[0].lower()
    assert all(f"x-token: {TOKEN}" in request for request in here.requests)


async def test_a_token_does_not_follow_from_https_to_http(
    serve: Serve, tmp_path: Path
) -> None:
    plain, secure = Site(), Site()
    leaf = pki.make("leaf", names=["k.example.com"])
    rules = (
        ConnectTo(host="k.example.com", port=443, to_host="127.0.0.1",
                  to_port=await serve(secure, tls=pki.server_context(tmp_path, leaf))),
        ConnectTo(host="k.example.com", port=80, to_host="127.0.0.1", to_port=await serve(plain)),
    )
    secure.pages["/a"] = "301 Moved\nLocation: http://k.example.com/a\n\n"
    plain.pages["/a"] = "200 OK\n\n"
    network = Network(NetworkSettings(connect_to=rules))
    exchange = await ask(network, "https://k.example.com/a", Ask(token=Secret(TOKEN)))
    assert not exchange.token_sent
    assert "x-token" not in plain.requests[0].lower()


async def test_an_echoed_token_is_in_no_part_of_the_answer(serve: Serve, network: Network) -> None:
    plain, coded = TOKEN, base64.b64encode(f"user:{TOKEN}".encode()).decode()
    quoted = urllib.parse.quote(TOKEN, safe="")
    site = Site()
    port = await serve(site)
    site.pages["/a"] = f"302 Found\nLocation: /b/{quoted}\n\n"
    site.pages[f"/b/{quoted}"] = (
        f"401 {plain}\nServer: {plain}\nVia: {coded}\nContent-Type: {plain}\n\n"
        f'{{"message":"wrong {plain} {quoted} {coded}"}}'
    )
    exchange = await ask(network, f"http://127.0.0.1:{port}/a", Ask(token=Secret(TOKEN)))
    recorded = msgspec.json.encode(exchange.answer).decode()
    assert exchange.answer.status == 401
    for form in (plain, quoted, coded, coded[8:-4]):
        assert form not in recorded


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://[::1", ("resolve", "name-invalid", 0)),
        ("ftp://127.0.0.1/", ("http", "protocol-error", 0)),
        ("http://127.0.0.1:99999/", ("connect", "host-unreachable", 0)),
    ],
)
async def test_a_url_that_cannot_be_asked_is_a_failure(
    url: str, expected: tuple[str, str, int], network: Network
) -> None:
    assert await failure(network, url) == expected


async def test_a_refused_connection_and_an_unknown_name_are_not_http(
    network: Network, dead_port: int, zone: Zone
) -> None:
    refused = await failure(network, f"http://127.0.0.1:{dead_port}/")
    assert refused == ("connect", "connection-refused", 0)
    unknown = await failure(Network(zone.settings()), "http://nobody.example.com/")
    assert unknown == ("resolve", "name-unknown", 0)


async def test_verification_is_off_unless_asked_for(
    serve: Serve, network: Network, tmp_path: Path
) -> None:
    site = Site()
    site.pages["/"] = "200 OK\n\n"
    context = pki.server_context(tmp_path, pki.make("self", names=["k.example.com"]))
    port = await serve(site, tls=context)
    there = network.at("k.example.com", "127.0.0.1")
    url = f"https://k.example.com:{port}/"
    assert (await ask(there, url)).answer.status == 200
    assert await failure(there, url, Ask(verify=True)) == ("tls", "certificate-self-signed", 0)


async def test_https_on_a_plain_port_is_not_tls(serve: Serve, network: Network) -> None:
    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    port = await serve(http)
    assert await failure(network, f"https://127.0.0.1:{port}/") == ("tls", "not-tls", 0)


class Proxy:
    """An HTTP proxy that answers itself."""

    def __init__(self, status: str) -> None:
        self.status = status
        self.requests: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()


async def test_a_proxy_is_used_when_given_and_its_refusal_is_its_own(
    serve: Serve, network: Network
) -> None:
    proxy = Proxy("200 OK")
    how = Ask(proxy=f"http://127.0.0.1:{await serve(proxy)}")
    assert (await ask(network, "http://k.example.com/x", how)).answer.status == 200
    assert proxy.requests[0].startswith("GET http://k.example.com/x HTTP/1.1")
    refusing = Ask(proxy=f"http://127.0.0.1:{await serve(Proxy('407 Proxy Auth'))}")
    refused = await failure(network, "https://k.example.com/x", refusing)
    assert refused == ("connect", "proxy-failed", 0)


async def test_environment_proxies_are_not_used_unasked(
    serve: Serve, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site()
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    exchange: Exchange = await ask(network, f"http://127.0.0.1:{await serve(site)}/")
    assert isinstance(exchange.answer, HttpAnswer)


@pytest.mark.parametrize(
    ("content", "media_type", "expected"),
    [
        (b"", "text/html", "empty"),
        (b" \n", "", "empty"),
        (b'{"a":1}', "text/plain", "json"),
        (b"<!DOCTYPE html><p>", "application/json", "html"),
        (b"oops", "text/html", "html"),
        (b"default backend - 404", "text/plain", "text"),
        (b"\x00\x01\x02", "text/plain", "other"),
        (b"\xff\xfe\xfa junk", "", "other"),
        (b"[" * 100_000, "application/json", "text"),
        ("é".encode() * 3000, "", "text"),
    ],
)
async def test_a_body_is_what_is_in_it(content: bytes, media_type: str, expected: str) -> None:
    assert body_kind(content, media_type) == expected
