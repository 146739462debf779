"""A gate before Keptn's gateway that stops at the n-th request that changes something."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import yaml

from keptn_doctor.lab.configuration import configuration
from keptn_doctor.lab.world import Lab

OWN = re.compile(r"keptn-doctor-trip-q7x-[0-9a-f]{12}")
Hook = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    pass


class Gate:
    """One request per connection, passed on byte by byte; hooks around its ``stop_at``-th write.

    ``before`` is awaited before the write is passed on, ``after`` when its answer is there and
    before that is passed back. ``projects`` are the names of own projects that came by.
    """

    def __init__(
        self, to: tuple[str, int], *, stop_at: int, before: Hook = _nothing, after: Hook = _nothing
    ) -> None:
        self._to, self._stop_at, self._before, self._after = to, stop_at, before, after
        self.writes = 0
        self.projects: set[str] = set()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            answer = await self._passed(head, body)
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the doctor is gone
        finally:
            writer.close()

    async def _passed(self, head: bytes, body: bytes) -> bytes:
        self.projects |= set(OWN.findall(head.decode()))
        is_write = not head.startswith((b"GET ", b"POST /api/v1/auth "))
        self.writes += is_write
        stops = is_write and self.writes == self._stop_at
        if stops:
            await self._before()
        answer = await self._asked(head, body)
        if stops:
            await self._after()
        return answer

    async def _asked(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._to)
        alone = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head)
        writer.write(alone.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + body)
        answer = await reader.read()
        writer.close()
        return re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", answer).replace(
            b"\r\n", b"\r\nConnection: close\r\n", 1
        )


@asynccontextmanager
async def gated(gate: Gate) -> AsyncIterator[None]:
    server = await asyncio.start_server(gate.serve, "127.0.0.1", 0)
    gate.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()


def gateway_of(lab: Lab) -> tuple[str, int]:
    """Where the gateway's address really leads."""
    return lab.simulation.network().destination("203.0.113.20", 80)


def config_through(lab: Lab, gate: Gate, folder: Path) -> Path:
    """The lab's configuration file, with the gate on the way to the gateway."""
    made = yaml.safe_load(configuration(lab.targets(), lab.kubeconfig))
    ways = made["network"]["connect-to"]
    made["network"]["connect-to"] = [f"203.0.113.20:80:127.0.0.1:{gate.port}", *ways]
    path = folder / f"doctor-{gate.port}.yaml"
    path.write_text(yaml.safe_dump(made))
    return path
