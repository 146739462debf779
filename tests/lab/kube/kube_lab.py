"""What the tests of the lab's Kubernetes API share: an authority, users, pods with real ports."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keptn_doctor.lab.kube import KubeApiServer, LogOptions, Rule, User, cut_log

NOW = datetime(2026, 11, 23, 13, 50, tzinfo=UTC)
ADMIN, READER = "admin-lab-token", "reader-lab-token"
PODS = "/api/v1/namespaces/keptn-exec/pods"

StartServer = Callable[..., Awaitable[KubeApiServer]]
ClientFor = Callable[..., httpx.AsyncClient]


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Files of one certificate authority and a server certificate for 127.0.0.1."""

    folder: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def client(self, name: str, group: str, *, until: datetime) -> tuple[Path, Path]:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, name),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, group),
            ]
        )
        return self.issue(f"client-{name}", subject, until=until)

    def issue(
        self,
        stem: str,
        subject: x509.Name,
        *,
        until: datetime,
        extension: x509.ExtensionType | None = None,
    ) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(until - timedelta(days=3650))
            .not_valid_after(until)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False
            )
        )
        if extension is not None:
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        pem, key_pem = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_pem.write_bytes(_pem(key))
        return pem, key_pem


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def make_authority(folder: Path) -> Authority:
    """A fresh authority with a server certificate for 127.0.0.1, valid today."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3650))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    made = Authority(folder=folder, certificate=certificate, key=key)
    made.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    address = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    )
    made.issue("server", subject, until=now + timedelta(days=365), extension=address)
    return made


def users() -> dict[str, User]:
    """An administrator and the reader of the recorded answers."""
    rule = Rule(resources=("pods", "services"), verbs=("get", "list"), namespaces=("keptn-exec",))
    return {
        ADMIN: User(name="admin", groups=("system:masters",)),
        READER: User(name="reader", rules=(rule,)),
    }


@dataclass
class EchoPods:
    """One running pod whose ports lead to a real listener on this machine."""

    loopback: dict[int, int] = field(default_factory=dict)
    pod_ip: dict[int, int] = field(default_factory=dict)
    lines: tuple[str, ...] = ("one", "two", "three")

    async def logs(
        self, namespace: str, pod: str, container: str, options: LogOptions
    ) -> str | None:
        if options.previous:
            return f"previous life of {namespace}/{pod}/{container}\n"
        if options.since_seconds is not None:
            return f"since {options.since_seconds}\n"
        return cut_log(
            list(self.lines), tail_lines=options.tail_lines, limit_bytes=options.limit_bytes
        )

    async def open_port(
        self, namespace: str, pod: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await _open(self.loopback, port, f"{namespace}/{pod}")

    async def open_pod_ip(
        self, namespace: str, pod: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await _open(self.pod_ip, port, f"{namespace}/{pod}")


async def _open(
    ports: dict[int, int], port: int, where: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if port not in ports:
        raise ConnectionRefusedError(f"nothing listens on port {port} of {where}")
    return await asyncio.open_connection("127.0.0.1", ports[port])


def running_pod(name: str = "helm-service-0", **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "keptn-exec", "labels": {"app": "helm-service"}},
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "distributor", "image": "keptn/distributor:0.18.0"}],
        },
        "status": {"phase": "Running", "podIP": "10.1.0.5", **status},
    }
