"""Clients for a started lab: its Kubernetes APIs and its Keptn endpoint, through sockets."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.nameserver
import httpx
import yaml

from keptn_doctor.lab.world import Lab


def kube(lab: Lab, context: str) -> httpx.AsyncClient:
    """A client with the operator's credentials of one context."""
    document = yaml.safe_load(Path(lab.kubeconfig).read_text())
    rows = {
        kind: {row["name"]: row[kind[:-1]] for row in document[kind]}
        for kind in ("contexts", "clusters", "users")
    }
    chosen = rows["contexts"][context]
    cluster, user = rows["clusters"][chosen["cluster"]], rows["users"][chosen["user"]]
    trust = ssl.create_default_context(
        cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
    )
    token = user.get("token", "").strip()
    return httpx.AsyncClient(
        base_url=cluster["server"],
        verify=trust,
        trust_env=False,
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )


async def listed(lab: Lab, context: str, path: str) -> list[dict[str, Any]]:
    async with kube(lab, context) as client:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]


async def pods(lab: Lab, context: str, namespace: str) -> dict[str, dict[str, Any]]:
    """Pods by the name of their workload."""
    found = await listed(lab, context, f"/api/v1/namespaces/{namespace}/pods")
    return {workload(pod): pod for pod in found}


def workload(pod: dict[str, Any]) -> str:
    owner = pod["metadata"]["ownerReferences"][0]
    if owner["kind"] == "ReplicaSet":
        return owner["name"].rpartition("-")[0]
    return owner["name"]


async def log_of(lab: Lab, context: str, namespace: str, pod: str, **query: str) -> str:
    async with kube(lab, context) as client:
        answer = await client.get(
            f"/api/v1/namespaces/{namespace}/pods/{pod}/log", params=query
        )
        assert answer.status_code == 200, answer.text
        return answer.text


async def events(lab: Lab, context: str, namespace: str) -> list[tuple[str, str]]:
    found = await listed(lab, context, f"/api/v1/namespaces/{namespace}/events")
    return [(event["reason"], event["message"]) for event in found]


async def addresses(lab: Lab, name: str, vantage: str = "operator") -> list[str]:
    """Look a name up through the name server of a vantage."""
    resolver = dns.asyncresolver.Resolver(configure=False)
    host, _, port = lab.simulation.name_servers[vantage].address.rpartition(":")
    resolver.nameservers = [dns.nameserver.Do53Nameserver(host, int(port))]
    answer = await resolver.resolve(name, "A", lifetime=2)
    return [record.address for record in answer]


async def ask(
    lab: Lab, url: str, *, token: str = "", vantage: str = "operator", method: str = "GET"
) -> httpx.Response:
    """A request from a vantage, by its own names and ways; raises what the connection raises."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    address = host if host.replace(".", "").isdigit() else (await addresses(lab, host, vantage))[0]
    async with asyncio.timeout(5):
        reader, writer = await lab.simulation.wire.open(vantage, address, port)
        try:
            if parts.scheme == "https":
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                await writer.start_tls(context, server_hostname=host)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            head = f"{method} {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
            head += f"x-token: {token}\r\n" if token else ""
            writer.write((head + "\r\n").encode())
            raw = await reader.read()
        finally:
            writer.close()
    return _parsed(raw)


def _parsed(raw: bytes) -> httpx.Response:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in rest if ": " in line]
    chunked = any(k.lower() == "transfer-encoding" for k, _ in headers)
    content = _joined(body) if chunked else body
    kept = [(k, v) for k, v in headers if k.lower() != "transfer-encoding"]
    return httpx.Response(int(first.split(" ")[1]), headers=kept, content=content)


def _joined(body: bytes) -> bytes:
    out = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        out, body = out + body[:length], body[length + 2 :]
        if not length:
            break
    return out


def env_of(deployment: dict[str, Any], container: str) -> dict[str, Any]:
    """Plain values of one container's environment."""
    spec = deployment["spec"]["template"]["spec"]
    found = next(c for c in spec["containers"] if c["name"] == container)
    return {item["name"]: item.get("value") for item in found["env"]}


def as_json(text: str) -> Any:
    return json.loads(text)


async def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A program with its output, without blocking the lab."""
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60, check=False
    )


async def kubectl(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The real kubectl with the operator's kubeconfig."""
    program = Path(sys.executable).parent / "kubectl"
    return await run(str(program), "--kubeconfig", str(lab.kubeconfig), *arguments)


async def forwarded(  # noqa: PLR0917 - as kubectl takes them
    lab: Lab, context: str, namespace: str, pod: str, port: int, path: str
) -> httpx.Response:
    """A GET through kubectl's port-forward."""
    program = str(Path(sys.executable).parent / "kubectl")
    process = await asyncio.create_subprocess_exec(
        program, "--kubeconfig", str(lab.kubeconfig), "--context", context, "-n", namespace,
        "port-forward", pod, f":{port}", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            first = (await process.stdout.readline()).decode()
            local = int(first.split("127.0.0.1:")[1].split(" ")[0])
            async with httpx.AsyncClient(trust_env=False) as client:
                return await client.get(f"http://127.0.0.1:{local}{path}")
    finally:
        process.terminate()
        await process.wait()
