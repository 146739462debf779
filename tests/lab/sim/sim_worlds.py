"""Small worlds for the tests of the simulated network and Keptn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from keptn_doctor.lab.clients.client import PodRun
from keptn_doctor.lab.settings import (
    CertificateSettings,
    ClientSettings,
    ControlPlaneSettings,
    DnsRecord,
    DnsSettings,
    ListenerSettings,
    PodSettings,
    SimulationSettings,
    TlsSettings,
)
from keptn_doctor.lab.simulation import Simulation

ADDRESS = "203.0.113.20"
HOST = "keptn.example.com"
TOKEN = "lab-token"
TOPICS = "sh.keptn.event.deployment.triggered,sh.keptn.event.release.triggered"
REGISTRATION = "/api/controlPlane/v1/uniform/registration"


def stopped_clock() -> Callable[[], datetime]:
    """A clock that stands still, for tests in which a busy machine must not matter."""
    at = datetime.now(UTC)
    return lambda: at


def client(
    version: str,
    *,
    name: str = "helm-service",
    plane: str = "exec-a",
    endpoint: str = f"http://{HOST}/api",
    token: str = TOKEN,
    nodes: tuple[str, ...] = ("node-1",),
    env: dict[str, str] | None = None,
    **more: Any,
) -> ClientSettings:
    pods = tuple(
        PodSettings(name=f"{name}-{i}", node=node, ip=f"10.1.0.{10 + i}")
        for i, node in enumerate(nodes)
    )
    values = {"KEPTN_API_ENDPOINT": endpoint, "KEPTN_API_TOKEN": token, "PUBSUB_TOPIC": TOPICS}
    return ClientSettings(
        plane=plane, name=name, version=version, pods=pods, env=values | (env or {}), **more
    )


def listener(
    port: int = 80,
    *,
    address: str = ADDRESS,
    certificate: str = "",
    serves: str = "keptn",
    **more: Any,
) -> ListenerSettings:
    tls = None
    if certificate:
        tls = TlsSettings(certificate=CertificateSettings(kind=certificate, names=(HOST,)))
    return ListenerSettings(address=address, port=port, serves=serves, tls=tls, **more)


def world(
    version: str,
    *clients: ClientSettings,
    certificate: str = "good",
    listeners: tuple[ListenerSettings, ...] | None = None,
    dns: DnsSettings | None = None,
    keptn: dict[str, Any] | None = None,
    **more: Any,
) -> SimulationSettings:
    public = DnsSettings(public=(DnsRecord(name=HOST, values=(ADDRESS,)),))
    if listeners is None:
        listeners = (listener(), listener(443, certificate=certificate))
    return SimulationSettings(
        control_planes=(ControlPlaneSettings(version=version, token=TOKEN, **(keptn or {})),),
        listeners=listeners,
        dns=dns or public,
        clients=clients,
        **more,
    )


def with_public(*records: DnsRecord) -> DnsSettings:
    return DnsSettings(public=(DnsRecord(name=HOST, values=(ADDRESS,)), *records))


async def ask(
    simulation: Simulation,
    path: str,
    *,
    method: str = "GET",
    token: str | None = TOKEN,
    address: str = ADDRESS,
    port: int = 80,
    host: str = HOST,
    vantage: str = "operator",
    headers: dict[str, str] | None = None,
    content: bytes | None = None,
) -> httpx.Response:
    """One request as the operator's machine makes it, over a real socket."""
    to_host, to_port = simulation.network(vantage).destination(address, port)
    sent = {"Host": host} | (headers or {})
    if token is not None:
        sent["x-token"] = token
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.request(
            method, f"http://{to_host}:{to_port}{path}", headers=sent, content=content
        )


async def through_pod(
    run: PodRun,
    target: str,
    *,
    port: int = 8081,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> tuple[int, dict[str, str], bytes]:
    """One request through a port-forward into a pod."""
    opened = next(p for p in run.ports if p.number == port)
    reader, writer = await opened.open()
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: close",
        f"Content-Length: {len(body)}",
    ]
    lines += [f"{k}: {v}" for k, v in (headers or {}).items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
    try:
        async with asyncio.timeout(10):
            answer = await reader.read()
    finally:
        writer.close()
    head, _, rest = answer.partition(b"\r\n\r\n")
    first, *found = head.decode().split("\r\n")
    parsed = dict(line.lower().split(": ", 1) for line in found if ": " in line)
    return int(first.split()[1]), parsed, rest


def texts(run: PodRun) -> list[str]:
    return [text for _, text in run.log()]


def pod(simulation: Simulation, index: int = 0, replica: int = 0) -> PodRun:
    return simulation.runs[index].pods[replica]


def changed(record: Any, **values: Any) -> Any:
    return msgspec.structs.replace(record, **values)
