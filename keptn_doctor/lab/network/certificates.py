"""Certificates of every bad kind, made when the lab starts and gone when it ends.

Two authorities: one that all clients of the lab trust (it plays the public authorities) and one
that none does (a company's own). Keys are elliptic because RSA keys take longer to make than the
rest of the lab together. Nothing here is kept on disk longer than OpenSSL needs it.
"""

from __future__ import annotations

import functools
import ipaddress
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from keptn_doctor.lab.settings import CertificateSettings, TlsSettings

Key = ec.EllipticCurvePrivateKey

_DAY = timedelta(days=1)


@functools.cache
def _key(use: str) -> Key:
    del use  # one key per use and process
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@functools.cache
def _authority(name: str) -> x509.Certificate:
    return _sign(
        subject=name,
        key=_key(name),
        issuer=name,
        issuer_key=_key(name),
        begin=_start() - 3650 * _DAY,
        end=_start() + 3650 * _DAY,
        authority=True,
    )


@functools.cache
def _start() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _sign(
    *,
    subject: str,
    key: Key,
    issuer: str,
    issuer_key: Key,
    begin: datetime,
    end: datetime,
    names: tuple[str, ...] = (),
    authority: bool = False,
    client: bool = False,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if authority:
        builder = builder.add_extension(_authority_usage(), critical=True)
    else:
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if issuer == INTERMEDIATE:
        builder = builder.add_extension(_issuer_access(), critical=False)
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _issuer_access() -> x509.AuthorityInformationAccess:
    """Where the issuer's certificate is to be had, as every leaf of a public authority says."""
    where = x509.UniformResourceIdentifier("http://ca.example.com/intermediate.der")
    method = AuthorityInformationAccessOID.CA_ISSUERS
    return x509.AuthorityInformationAccess([x509.AccessDescription(method, where)])


def _authority_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


TRUSTED = "Lab Public Root"
PRIVATE = "corp-ca"
INTERMEDIATE = "Lab Public Intermediate"
CORPORATE = "corp-inspection-ca"  # what a TLS-inspecting firewall signs with
FAKE = "Kubernetes Ingress Controller Fake Certificate"


@functools.cache
def _chain(settings: CertificateSettings, now: datetime) -> tuple[x509.Certificate, ...]:
    """The leaf and what is sent with it."""
    names = settings.names or ("keptn.example.com",)
    subject, issuer, issuer_key = names[0], TRUSTED, _key(TRUSTED)
    begin, end = now - _DAY, now + timedelta(seconds=settings.valid_for_s)
    extra: tuple[x509.Certificate, ...] = ()
    match settings.kind:
        case "expired":
            end = now - timedelta(seconds=settings.expired_ago_s)
            begin = end - 90 * _DAY
        case "not-yet-valid":
            begin = now + timedelta(seconds=settings.valid_in_s)
            end = begin + 90 * _DAY
        case "wrong-name":
            subject, names = "other.example.org", ("other.example.org",)
        case "self-signed":
            issuer, issuer_key = subject, _key("leaf")
        case "unknown-ca":
            issuer, issuer_key, extra = PRIVATE, _key(PRIVATE), (_authority(PRIVATE),)
        case "missing-intermediate":
            issuer, issuer_key = INTERMEDIATE, _key(INTERMEDIATE)
        case "no-san":
            names = ()
        case "ingress-fake":
            subject, names = FAKE, ("ingress.local",)
            issuer, issuer_key = FAKE, _key("leaf")
        case "good":
            pass
    leaf = _sign(
        subject=subject,
        key=_key("leaf"),
        issuer=issuer,
        issuer_key=issuer_key,
        begin=begin,
        end=end,
        names=names,
    )
    return (leaf, *extra)


def chain_pem(settings: CertificateSettings, *, now: datetime) -> bytes:
    """The chain as a server sends it, PEM."""
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in _chain(settings, now))


def resigned(settings: CertificateSettings, *, now: datetime) -> bytes:
    """The chain that a TLS-inspecting firewall shows instead of the real one."""
    names = settings.names or ("keptn.example.com",)
    leaf = _sign(
        subject=names[0],
        key=_key("leaf"),
        issuer=CORPORATE,
        issuer_key=_key(CORPORATE),
        begin=now - _DAY,
        end=now + 30 * _DAY,
        names=names,
    )
    chain = (leaf, _authority(CORPORATE))
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain)


def _key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def trusted_pem(*, corporate: bool = False) -> str:
    """The authorities that clients trust."""
    found = [_authority(TRUSTED)]
    if corporate:
        found.append(_authority(CORPORATE))
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in found).decode()


def server_context(tls: TlsSettings, *, now: datetime, inspected: bool = False) -> ssl.SSLContext:
    """A server's context; the only detour over a file that OpenSSL insists on is deleted at once.

    Args:
        tls: what the listener shows and asks for.
        now: the lab's clock.
        inspected: the chain of the firewall in between instead.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    make = resigned if inspected else chain_pem
    with tempfile.TemporaryDirectory(prefix="keptn-doctor-lab-") as folder:
        path = Path(folder, "server.pem")
        path.touch(mode=0o600)
        path.write_bytes(make(tls.certificate, now=now) + _key_pem(_key("leaf")))
        context.load_cert_chain(path)
    if tls.client_certificate_required:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(
            cadata=_authority(PRIVATE).public_bytes(serialization.Encoding.PEM).decode()
        )
    if tls.maximum_version == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context
