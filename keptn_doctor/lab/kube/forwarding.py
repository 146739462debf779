"""What every form of port-forward shares: wanted ports, the connection into the pod, copying."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from keptn_doctor.lab.kube.call import Call
from keptn_doctor.lab.kube.pods import Streams
from keptn_doctor.lab.kube.status import PlainError

_BLOCK = 65_536
_CONNECT_SECONDS = 10.0


def wanted_ports(call: Call) -> tuple[int, ...]:
    """The ``ports`` of the query, in order, each given alone or separated by commas."""
    texts = [t for v in call.request.query.getall("ports", []) for t in v.split(",") if t]
    if not texts:
        raise PlainError(400, 'query parameter "port" is required\n')
    return tuple(read_port(text) for text in texts)


def read_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise PlainError(400, f'unable to parse "{text}" as a port\n')
    return int(text)


async def connect(call: Call, port: int) -> Streams:
    """Open the port on the pod's loopback; every failure, a deadline too, is an OSError."""
    async with asyncio.timeout(_CONNECT_SECONDS):
        return await call.pods.open_port(call.namespace, call.target.name, port)


def refused_text(port: int, pod: str, error: OSError) -> str:
    """What the container runtime reports when nothing listens in the pod."""
    why = "connect: connection refused" if isinstance(error, ConnectionRefusedError) else str(error)
    return (
        f"error forwarding port {port} to pod {pod}, uid : failed to execute portforward in "
        f"network namespace: failed to connect to localhost:{port} inside namespace, "
        f"IPv4: dial tcp4 127.0.0.1:{port}: {why}"
    )


async def copy_out(reader: asyncio.StreamReader, send: Callable[[bytes], Awaitable[None]]) -> None:
    """Carry what the pod says to the client until the pod is done."""
    while block := await reader.read(_BLOCK):
        await send(block)
