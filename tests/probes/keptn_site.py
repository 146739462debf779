"""A Keptn gateway as small as can be: routes by path, a token, and components that can be down."""

from __future__ import annotations

import asyncio
import json
import urllib.parse
from collections.abc import Callable
from typing import Any

TOKEN = "kT7/+Qw=9zLmNoPqRsTuVwXyZ0123456789abcdEFGH12"

Answer = tuple[int, str, str]  # status, content type, body
PAGE = "<html><head><title>{0}</title></head><body><center>nginx</center></body></html>"


def swagger(version: str) -> Answer:
    text = f"---\nswagger: '2.0'\nbasePath: /v1\ninfo:\n  title: keptn api\n  version: {version}\n"
    return 200, "application/yaml", text


def page(status: int) -> Answer:
    return status, "text/html", PAGE.format(status)


def error(status: int, message: str) -> Answer:
    return status, "application/json", json.dumps({"code": status, "message": message})


def data(value: Any) -> Answer:
    return 200, "application/json", json.dumps(value)


class Keptn:
    """Serves ``/api``; set ``answers[path]`` (query left out) to override one route."""

    def __init__(self, version: str = "0.19.3") -> None:
        self.version = version
        self.answers: dict[str, Answer | Callable[[dict[str, str]], Answer]] = {}
        self.requests: list[tuple[str, str, str]] = []  # method, target, token
        self.bodies: list[bytes] = []
        self.headers: dict[str, str] = {"Server": "nginx"}
        self.api_service = True
        self.keeps_open = self.hangs_up = False  # after an answer; the latter without saying so
        self.turns_of_the_loop = 0  # that an answer takes
        self.connections = 0
        self.most_at_once = {True: 0, False: 0}  # requests in flight, with a token and without
        self._in_flight = {True: 0, False: 0}

    def asked(self, path: str) -> list[tuple[str, str, str]]:
        return [r for r in self.requests if urllib.parse.urlsplit(r[1]).path == path]

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while await self._exchange(reader, writer) and self.keeps_open:
            pass

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return False
        lines = head.split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        lowered = {name.lower(): value for name, value in fields.items()}
        self.bodies.append(await reader.readexactly(int(lowered.get("content-length", "0"))))
        method, target, _ = lines[0].split()
        token = lowered.get("x-token", "")
        self.requests.append((method, target, token))
        await self._others_may_come(with_token=bool(token))
        status, kind, body = self.answer(method, target, token)
        headers = {**self.headers, "Content-Type": kind, "Content-Length": str(len(body.encode()))}
        shown = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        shown += "" if self.keeps_open else "Connection: close\r\n"
        writer.write(f"HTTP/1.1 {status} X\r\n{shown}\r\n{body}".encode())
        await writer.drain()
        return not self.hangs_up

    async def _others_may_come(self, *, with_token: bool) -> None:
        self._in_flight[with_token] += 1
        self.most_at_once[with_token] = max(
            self.most_at_once[with_token], self._in_flight[with_token]
        )
        for _ in range(self.turns_of_the_loop):
            await asyncio.sleep(0)
        self._in_flight[with_token] -= 1

    def answer(self, method: str, target: str, token: str) -> Answer:
        parts = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(parts.query))
        if parts.path == "/nginx-health":
            return 200, "text/plain", "OK"
        path = parts.path.removeprefix("/api")
        if path == parts.path:
            return page(404)
        if path in self.answers:
            chosen = self.answers[path]
            return chosen(query) if callable(chosen) else chosen
        if path.endswith("/swagger-ui/swagger.yaml"):
            return self.described(path)
        if not self.api_service:
            return page(502) if path.startswith("/v1/") else page(500)
        if path == "/v1/auth":
            if token == TOKEN:
                return 200, "text/plain", ""
            return error(401, "incorrect api key auth")
        if token != TOKEN:
            return error(401, "unauthenticated or invalid credentials")
        return self.read(method, path)

    def described(self, path: str) -> Answer:
        if path == "/swagger-ui/swagger.yaml" and not self.api_service:
            return page(502)
        if path.startswith("/resource-service") and self.version < "0.18":
            return error(404, f"path {path} was not found")
        return swagger(self.version)

    def read(self, method: str, path: str) -> Answer:
        known = {
            "/v1/metadata": {"keptnversion": self.version, "bridgeversion": self.version},
            "/controlPlane/v1/uniform/registration": [],
            "/controlPlane/v1/project": {"projects": [], "nextPageKey": "0"},
            "/controlPlane/v1/log": {"logs": []},
            "/mongodb-datastore/event": {"events": []},
        }
        if path in known and method == "GET":
            return data(known[path])
        return error(404, f"path {path} was not found")
