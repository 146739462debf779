"""Certificates, kubeconfigs and servers on the loopback for the tests of the Kubernetes client."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keptn_doctor.lab.kube import (
    Cluster,
    KubeApiServer,
    LogOptions,
    PodBackend,
    Rule,
    User,
    server_context,
)
from keptn_doctor.probes.kube_access import ClusterAccess
from keptn_doctor.secret import Secret

ADMIN, READER, NOBODY = "admin-lab-token", "reader-lab-token", "nobody-lab-token"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A certificate with its key, PEM."""

    certificate: str
    key: str


class Authority:
    """Issues what the tests need; nothing is older than the test run, but by wish."""

    def __init__(self, name: str = "test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._now = datetime.now(UTC)
        builder = self._builder(self._name, self._key, days=3650).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.pem = _pem(builder.sign(self._key, hashes.SHA256()))

    def issue(
        self,
        common_name: str,
        *,
        names: tuple[str, ...] = (),
        groups: tuple[str, ...] = (),
        days: int = 30,
    ) -> Identity:
        """A certificate that ends in ``days``; a negative number makes it expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_name(common_name, *groups), key, days=days)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
            )
        return Identity(
            certificate=_pem(builder.sign(self._key, hashes.SHA256())),
            key=key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode(),
        )

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - timedelta(days=400))
            .not_valid_after(self._now + timedelta(days=days))
        )


def _name(common_name: str, *groups: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass(frozen=True, kw_only=True)
class World:
    """An authority and the server side of its TLS, with a folder to put files into."""

    authority: Authority
    folder: Path

    def tls(self, *names: str, client_authority: bool = True, days: int = 30) -> ssl.SSLContext:
        identity = self.authority.issue("kube-apiserver", names=names or ("127.0.0.1",), days=days)
        stem = f"server-{'-'.join(names) or 'default'}-{days}"
        certificate, key = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        certificate.write_text(identity.certificate)
        key.write_text(identity.key)
        (self.folder / "ca.pem").write_text(self.authority.pem)
        return server_context(
            certificate,
            key,
            client_authority=self.folder / "ca.pem" if client_authority else None,
        )

    def access(self, server: str, token: str = ADMIN, **changes: Any) -> ClusterAccess:
        settings: dict[str, Any] = {
            "name": "test",
            "server": server,
            "ca_pem": self.authority.pem,
            "authorization": Secret(f"Bearer {token}") if token else None,
            "user": "tester",
        }
        return ClusterAccess(**(settings | changes))

    def kubeconfig(
        self,
        server: str,
        user: dict[str, Any],
        *,
        cluster: dict[str, Any] | None = None,
        name: str = "test",
        file: str = "config",
        **context: Any,
    ) -> Path:
        """A kubeconfig with one context, the current one."""
        settings = {"server": server, "certificate-authority-data": encode(self.authority.pem)}
        settings |= cluster or {}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": settings}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name, **context}}],
        }
        path = self.folder / file
        path.write_text(yaml.safe_dump(document))
        return path


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def pod(name: str, namespace: str = "keptn-exec", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "main", "image": "i"}], "nodeName": "node-1", **spec},
        "status": {"phase": "Running"},
    }


def users() -> dict[str, User]:
    return {
        ADMIN: User(name="admin", groups=("system:masters",)),
        READER: User(
            name="reader",
            rules=(
                Rule(
                    resources=("pods", "pods/log"),
                    verbs=("get", "list"),
                    namespaces=("keptn-exec",),
                ),
            ),
        ),
        NOBODY: User(name="nobody"),
    }


@contextlib.asynccontextmanager
async def kube_api(
    tls: ssl.SSLContext | None,
    *,
    objects: tuple[dict[str, Any], ...] = (),
    generation: str = "1.24",
    pods: PodBackend | None = None,
    name: str = "one",
    members: dict[str, User] | None = None,
) -> AsyncIterator[KubeApiServer]:
    """The lab's Kubernetes API with some users."""
    cluster = Cluster(generation, objects, users() if members is None else members, name=name)
    async with KubeApiServer(cluster, pods, tls) as server:
        yield server


@contextlib.asynccontextmanager
async def stub(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that does with every connection whatever ``handler`` does; yields its URL."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await handler(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def answering(
    status: str, body: bytes, content_type: str = "application/json", **headers: str
) -> Handler:
    """A handler that gives one answer to every request of a connection."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}"]
            lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
            lines.append(f"Content-Length: {len(body)}")
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
            await writer.drain()

    return handler


class LoopbackPods:
    """Pods whose ports are real listeners on this machine, by port number."""

    def __init__(self, ports: dict[int, int] | None = None, log: str | None = None) -> None:
        self.ports = ports or {}
        self.log = log

    async def logs(
        self, namespace: str, pod: str, container: str, options: LogOptions  # noqa: ARG002
    ) -> str | None:
        return self.log

    async def open_port(
        self, namespace: str, pod: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if port not in self.ports:
            raise ConnectionRefusedError(f"{namespace}/{pod} does not listen on port {port}")
        return await asyncio.open_connection("127.0.0.1", self.ports[port])

    open_pod_ip = open_port


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])
