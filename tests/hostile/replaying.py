"""Records what the lab's clusters and Keptn API answer, and answers the same again, bent.

The replay is a real server on the loopback; what it says can be changed before it is sent. Only
reading is recorded: streams to pods are refused, as a cluster without that right does.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import yaml
from aiohttp import web

from keptn_doctor.lab.world import Lab
from keptn_doctor.network_settings import ConnectTo
from keptn_doctor.targets import Targets

FORBIDDEN = {
    "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
    "message": "streams are not recorded",
}  # fmt: skip
ENDPOINT = "keptn.example.com"
_PAGING = {"limit", "continue"}


@dataclass(frozen=True)
class Said:
    """One recorded answer; ``document`` is None for what is no JSON."""

    status: int
    content_type: str
    body: bytes
    document: Any = None


Bend = Callable[[str, Said], Said]  # of a path and what was said there


def unbent(_path: str, said: Said) -> Said:
    return said


def with_document(said: Said, document: Any) -> Said:
    return replace(said, document=document, body=json.dumps(document).encode())


@dataclass
class Replay:
    """One server: asks ``upstream`` what it has not heard yet, as long as there is one."""

    upstream: str
    authorization: str = ""
    host: str = ""
    said: dict[str, Said] = field(default_factory=dict)
    bend: Bend = unbent
    port: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        query = "&".join(f"{k}={v}" for k, v in request.query.items() if k not in _PAGING)
        token = "" if self.authorization else request.headers.get("x-token", "")
        key = f"{request.method} {request.path}?{query} {token}"
        if request.method == "POST":
            key += (await request.read()).decode()
        if "upgrade" in request.headers or request.path.endswith("/portforward"):
            return web.json_response(FORBIDDEN, status=403)
        if key not in self.said:
            if not self.upstream:
                return web.json_response(FORBIDDEN, status=403)
            self.said[key] = await self._ask(request)
        said = self.bend(request.path, self.said[key])
        return web.Response(
            status=said.status, body=said.body, headers={"content-type": said.content_type}
        )

    async def _ask(self, request: web.Request) -> Said:
        kept = ("x-token", "accept", "content-type")
        headers = {k: v for k, v in request.headers.items() if k.lower() in kept}
        if self.authorization:
            headers["authorization"] = self.authorization
        if self.host:
            headers["host"] = self.host
        async with httpx.AsyncClient(verify=False, trust_env=False) as client:
            got = await client.request(
                request.method, self.upstream + str(request.rel_url), headers=headers,
                content=await request.read(),
            )  # fmt: skip
        kind = got.headers.get("content-type", "")
        document = got.json() if "json" in kind and got.content else None
        return Said(status=got.status_code, content_type=kind, body=got.content, document=document)


@dataclass
class World:
    """All clusters and the Keptn API of a lab, replayed."""

    targets: Targets
    servers: dict[str, Replay]

    def bend(self, how: Bend) -> None:
        for server in self.servers.values():
            server.bend = how

    def close_upstream(self) -> None:
        for server in self.servers.values():
            server.upstream = ""


@asynccontextmanager
async def replayed(lab: Lab, folder: Path) -> AsyncIterator[World]:
    """Servers in front of a lab; they outlive it when it was asked once through them."""
    async with AsyncExitStack() as stack:
        document = yaml.safe_load(lab.kubeconfig.read_text())
        users = {u["name"]: u["user"] for u in document["users"]}
        servers: dict[str, Replay] = {}
        for context in document["contexts"]:
            cluster = next(
                c for c in document["clusters"] if c["name"] == context["context"]["cluster"]
            )
            token = users[context["context"]["user"]]["token"]
            replay = Replay(upstream=cluster["cluster"]["server"], authorization=f"Bearer {token}")
            servers[context["name"]] = replay
            await _serve(replay, stack)
            cluster["cluster"] = {"server": f"http://127.0.0.1:{replay.port}"}
        config = folder / "kubeconfig"
        config.write_text(yaml.safe_dump(document))
        yield World(await _targets(lab, config, servers, stack), servers)


async def _targets(
    lab: Lab, config: Path, servers: dict[str, Replay], stack: AsyncExitStack
) -> Targets:
    targets = lab.targets()
    network = targets.network
    host, port = network.destination("203.0.113.20", 80)
    servers["api"] = Replay(upstream=f"http://{host}:{port}", host=ENDPOINT)
    await _serve(servers["api"], stack)
    detour = ConnectTo(host=ENDPOINT, port=80, to_host="127.0.0.1", to_port=servers["api"].port)
    network = msgspec.structs.replace(network, connect_to=(detour, *network.connect_to))
    assert targets.control_plane is not None
    with_config = {"kubeconfig": str(config)}
    return msgspec.structs.replace(
        targets,
        network=network,
        control_plane=msgspec.structs.replace(targets.control_plane, **with_config),
        execution_planes=tuple(
            msgspec.structs.replace(plane, **with_config) for plane in targets.execution_planes
        ),
    )


async def _serve(replay: Replay, stack: AsyncExitStack) -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", replay.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    replay.port = runner.addresses[0][1]
