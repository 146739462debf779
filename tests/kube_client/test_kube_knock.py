"""The first question to a server: others go with it, and none is answered before it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from kube_worlds import World, stub

from keptn_doctor.model.failure import Failure
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.kube_objects import VersionInfo

pytestmark = pytest.mark.asyncio

LIMITS = Deadlines(connect_s=10, kube_s=30)
OTHERS = ("/api", "/apis")


class Server:
    """Answers "{}" to everything, but to /version only when it is told to."""

    def __init__(self, status: str = "200 OK") -> None:
        self.status = status
        self.told = asyncio.Event()
        self.asked: list[str] = []
        self.others_answered = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split()[1]
            self.asked.append(path)
            status = "200 OK"
            if path == "/version":
                await self.told.wait()
                status = self.status
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
            await writer.drain()
            if set(OTHERS) <= set(self.asked):
                self.others_answered.set()


@dataclass
class Asked:
    """A client that has knocked and asked two other things, which the server has answered."""

    kube: KubeClient
    knock: asyncio.Task[VersionInfo | Failure]
    others: list[asyncio.Task[dict[str, str]]]


@contextlib.asynccontextmanager
async def asked(world: World, server: Server) -> AsyncIterator[Asked]:
    async with (
        asyncio.timeout(20),
        stub(server.handle, world.tls()) as url,
        KubeClient(world.access(url), deadlines=LIMITS) as kube,
    ):
        knock = asyncio.create_task(kube.knock())
        await asyncio.sleep(0)
        others = [asyncio.create_task(kube.get(path, dict[str, str])) for path in OTHERS]
        await server.others_answered.wait()
        async with KubeClient(world.access(url), deadlines=LIMITS) as without_a_knock:
            assert await without_a_knock.get("/api", dict[str, str]) == {}
        yield Asked(kube, knock, others)


async def test_other_requests_go_with_the_first_and_are_answered_after_it(world: World) -> None:
    server = Server()
    async with asked(world, server) as run:
        server.told.set()
        assert await run.knock == VersionInfo()
        assert not any(task.done() for task in run.others), "held back"
        run.kube.go_on()
        assert await asyncio.gather(*run.others) == [{}, {}]


async def test_whoever_knocks_again_is_told_the_same(world: World) -> None:
    server = Server("503 Service Unavailable")
    async with asked(world, server) as run:
        again = asyncio.create_task(run.kube.knock())
        server.told.set()
        first = await run.knock
        assert isinstance(first, Failure)
        assert await again is first
        attempts = server.asked.count("/version")
        assert await run.kube.knock() is first
        assert server.asked.count("/version") == attempts
        run.kube.go_on()
        await asyncio.gather(*run.others)


async def test_a_request_that_is_held_back_can_be_given_up(world: World) -> None:
    async with asked(world, Server()) as run:
        run.others[0].cancel()
        await asyncio.wait({run.others[0]})
        assert run.others[0].cancelled()
        assert not run.knock.done()


async def test_closing_the_client_ends_a_knock_that_nobody_answers(world: World) -> None:
    server = Server()
    async with asked(world, server) as run:
        await run.kube.aclose()
        assert (await asyncio.wait({run.knock}, timeout=5))[0]
        run.kube.go_on()
        await asyncio.gather(*run.others)
