"""Certificates of every bad kind, made in memory for one test run."""

from __future__ import annotations

import functools
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
PEM = serialization.Encoding.PEM


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> bytes:
        return self.certificate.public_bytes(PEM)

    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def make(
    name: str,
    *,
    signer: Pair | None = None,
    names: Sequence[str] = (),
    begins: timedelta = -DAY,
    ends: timedelta = 30 * DAY,
    authority: bool = False,
    organisation: str = "",
    tells_issuer: bool = False,
    bare: bool = False,
) -> Pair:
    """A certificate signed by ``signer``, else by itself; ``bare`` has no key identifiers."""
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    subject = x509.Name(parts)
    issuer_key = signer.key if signer else key
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        general = [_general(text) for text in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
    if not bare:
        builder = _identified(builder, key, issuer_key, authority=authority)
    if tells_issuer:
        where = x509.UniformResourceIdentifier("http://ca.invalid/intermediate.der")
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, where)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return Pair(certificate=builder.sign(issuer_key, hashes.SHA256()), key=key)


def _identified(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuers = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(own, critical=False).add_extension(issuers, critical=False)
    if not authority:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        return builder.add_extension(usage, critical=False)
    return builder.add_extension(
        x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False,
            encipher_only=False, decipher_only=False,
        ),
        critical=True,
    )


def _general(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


@functools.cache
def root() -> Pair:
    return make("Test Root", authority=True, organisation="Trusted Testers", ends=900 * DAY)


@functools.cache
def intermediate() -> Pair:
    return make("Test Intermediate", signer=root(), authority=True)


@functools.cache
def stranger() -> Pair:
    return make("Strange Root", authority=True)


def server_context(folder: Path, leaf: Pair, *others: Pair) -> ssl.SSLContext:
    """A server that shows ``leaf`` and sends ``others`` along."""
    path = folder / "server.pem"
    path.write_bytes(leaf.pem() + b"".join(o.pem() for o in others) + leaf.key_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
