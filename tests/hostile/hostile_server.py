"""Servers that answer as no server should: bytes as given, then a hang, a reset or an end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]

_NO_WAIT = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


@asynccontextmanager
async def serving(talk: Talk, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A port where ``talk`` answers every request head that comes."""

    open_ends: set[asyncio.Task[None]] = set()

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_ends.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await talk(reader, writer, await _head(reader))
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in open_ends:
            task.cancel()
        await asyncio.gather(*open_ends, return_exceptions=True)


async def _head(reader: asyncio.StreamReader) -> bytes:
    """A request's head, or the first bytes of something that is no request."""
    head = b""
    while b"\r\n\r\n" not in head and not head.startswith(b"\x16"):
        more = await reader.read(65_536)
        if not more:
            break
        head += more
    return head


def saying(answer: bytes) -> Talk:
    """These bytes, and the end."""

    async def talk(_r: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: bytes) -> None:
        writer.write(answer)
        await writer.drain()

    return talk


def page(
    body: bytes, *, status: str = "200 OK", kind: str = "application/json", more: str = ""
) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def echoing(status: str) -> Talk:
    """The whole request said back, its token included, in the body and in a header."""

    async def talk(_r: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        secret = headers.get("x-token") or headers.get("authorization", "").removeprefix("Bearer ")
        body = f'{{"code": 401, "message": "no: {secret}"}}'.encode()
        more = f"Server: {secret}\r\nX-Said: {secret}\r\nWWW-Authenticate: Bearer {secret}\r\n"
        writer.write(page(body, status=status, more=f"{more}Location: /login?t={secret}\r\n"))
        await writer.drain()

    return talk


async def hang(reader: asyncio.StreamReader, _w: asyncio.StreamWriter, _head: bytes) -> None:
    await reader.read()


async def reset(_r: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: bytes) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_WAIT)


async def drip(_r: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def flood(_r: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while not writer.is_closing():
        writer.write(b'"' + b"x" * 65_000 + b'",')
        await writer.drain()


async def endless_head(_r: asyncio.StreamReader, writer: asyncio.StreamWriter, _h: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-Filler: " + b"y" * 8_000 + b"\r\n")
        await writer.drain()


TALKS: dict[str, Talk] = {
    "hang": hang,
    "reset": reset,
    "drip": drip,
    "flood": flood,
    "endless head": endless_head,
    "nothing": saying(b""),
    "no HTTP": saying(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "control characters": saying(b"\x1b[2J\x00\xff\xfe\r\n\r\n"),
    "half a head": saying(b"HTTP/1.1 200 O"),
    "odd status": saying(b"HTTP/1.1 999 \x1b[31mred\r\nContent-Length: 0\r\n\r\n"),
    "wrong length": saying(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
    "bad chunks": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx"),
    "bad gzip": saying(page(b"\x1f\x8bnonsense", more="Content-Encoding: gzip\r\n")),
    "truncated": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"),
    "web page": saying(page(b"<html><title>\x1b[31mSign in</title>", kind="text/html")),
    "empty": saying(page(b"")),
    "null": saying(page(b"null")),
    "number": saying(page(b"1e999")),
    "empty list": saying(page(b"[]")),
    "list of nulls": saying(page(b"[null, null, {}, [], 5]")),
    "empty object": saying(page(b"{}")),
    "mistyped": saying(page(b'{"keptnversion": {"a": 1}, "integrations": 5, "projects": "x"}')),
    "deep": saying(page(b"[" * 100_000)),
    "not UTF-8": saying(page(b'{"keptnversion": "\xff\xfe"}')),
    "endless redirect": saying(
        b"HTTP/1.1 302 Found\r\nLocation: /api/v1/auth\r\nContent-Length: 0\r\n\r\n"
    ),
    "odd redirect": saying(
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"
    ),
    "rate limit": saying(page(b"", status="429 Too Many", more="Retry-After: 999999\r\n")),
    "odd retry": saying(page(b"", status="503 No", more="Retry-After: \xe9 never\r\n")),
    "odd date": saying(page(b"{}", more="Date: Thu, 99 Foo 99999 99:99:99 GMT\r\n")),
    "echo 401": echoing("401 Unauthorized"),
    "echo 302": echoing("302 Found"),
    "echo 200": echoing("200 OK"),
}
