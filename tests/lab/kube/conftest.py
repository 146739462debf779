"""A certificate authority, a server for each test and clients that trust it."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keptn_doctor.lab.kube import (
    Cluster,
    KubeApiServer,
    PodBackend,
    Rule,
    User,
    server_context,
)

NOW = datetime(2026, 11, 23, 13, 50, tzinfo=UTC)
ADMIN, READER = "admin-lab-token", "reader-lab-token"


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


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
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


@pytest.fixture(scope="session")
def tls(authority: Authority) -> ssl.SSLContext:
    folder = authority.folder
    return server_context(
        folder / "server.pem", folder / "server.key", client_authority=authority.file
    )


def users() -> dict[str, User]:
    """An administrator and the reader of the recorded answers."""
    rule = Rule(resources=("pods", "services"), verbs=("get", "list"), namespaces=("keptn-exec",))
    return {
        ADMIN: User(name="admin", groups=("system:masters",)),
        READER: User(name="reader", rules=(rule,)),
    }


Start = Callable[..., "AsyncIterator[KubeApiServer]"]


@pytest_asyncio.fixture
async def start(tls: ssl.SSLContext) -> AsyncIterator[Callable[..., object]]:
    """Start servers that end with the test: ``await start(cluster, pods)``."""
    async with AsyncExitStack() as stack:

        async def begin(
            cluster: Cluster, pods: PodBackend | None = None, **options: object
        ) -> KubeApiServer:
            server = KubeApiServer(cluster, pods, tls, **options)
            return await stack.enter_async_context(server)

        yield begin


@pytest.fixture
def client_for(authority: Authority) -> Callable[..., httpx.AsyncClient]:
    """An httpx client for a server, with a token or without."""

    def make(
        server: KubeApiServer, token: str | None = ADMIN, *, certificate: object = None
    ) -> httpx.AsyncClient:
        context = ssl.create_default_context(cafile=str(authority.file))
        if certificate is not None:
            context.load_cert_chain(*certificate)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(
            base_url=server.url, headers=headers, verify=context, timeout=5, trust_env=False
        )

    return make
