"""Client certificates for users of the lab's Kubernetes APIs, from an authority of their own."""

from __future__ import annotations

import functools
import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_AUTHORITY = "lab-client-ca"
_NO_CHECK_TIME = 0x200000  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME: dates are the API server's matter


@functools.cache
def _authority_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _signed(
    subject: str, key: ec.EllipticCurvePublicKey, begin: datetime, end: datetime, *, ca: bool
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(_named(_AUTHORITY))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(_authority_key(), hashes.SHA256())
    )


@functools.cache
def _authority() -> x509.Certificate:
    begin = datetime.now(UTC) - timedelta(days=400)
    end = begin + timedelta(days=4000)
    return _signed(_AUTHORITY, _authority_key().public_key(), begin, end, ca=True)


def client_pair(user: str, *, now: datetime, expired: bool) -> tuple[bytes, bytes]:
    """Certificate and key of a user, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    end = now - timedelta(days=2) if expired else now + timedelta(days=365)
    made = _signed(user, key.public_key(), end - timedelta(days=366), end, ca=False)
    return made.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def accept_clients(context: ssl.SSLContext) -> None:
    """Let a server context take client certificates of this authority, and none as well."""
    pem = _authority().public_bytes(serialization.Encoding.PEM).decode()
    context.load_verify_locations(cadata=pem)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)


@functools.cache
def foreign_authority_pem() -> str:
    """An authority that signed nothing in the lab: for a kubeconfig with the wrong one."""
    key = ec.generate_private_key(ec.SECP256R1())
    begin = datetime.now(UTC) - timedelta(days=1)
    made = _signed("another-ca", key.public_key(), begin, begin + timedelta(days=400), ca=True)
    return made.public_bytes(serialization.Encoding.PEM).decode()
