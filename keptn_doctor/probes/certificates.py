"""Reads the certificates that a peer sent, and what a chain says beyond OpenSSL's verify code."""

from __future__ import annotations

import hashlib
import ssl
import warnings
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from keptn_doctor.model.path_facts import Certificate
from keptn_doctor.probes.failures import Problem

_LONGEST_CHAIN = 10


def sent_chain(tls: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    """The certificates as the peer sent them, leaf first, in DER.

    ``get_unverified_chain`` is public from Python 3.13; before, the same method of the private
    object below serves. Without either there is the leaf alone.
    """
    public = getattr(tls, "get_unverified_chain", None)
    private = getattr(getattr(tls, "_sslobj", None), "get_unverified_chain", None)
    try:
        if public:
            return tuple(bytes(der) for der in public())[:_LONGEST_CHAIN]
        if private:
            pems = (certificate.public_bytes() for certificate in private())  # PEM by default
            return tuple(ssl.PEM_cert_to_DER_cert(pem) for pem in pems)[:_LONGEST_CHAIN]
    except (AttributeError, TypeError, ValueError):
        pass  # a private method of another shape: the leaf will have to do
    leaf = tls.getpeercert(binary_form=True)
    return (leaf,) if leaf else ()


def read(der: bytes) -> Certificate:
    """What people and checks want to know of a certificate; an unreadable one says just that."""
    sha256 = hashlib.sha256(der).hexdigest()
    try:
        parsed = _parse(der)
        return Certificate(
            subject=parsed.subject.rfc4514_string(),
            issuer=parsed.issuer.rfc4514_string(),
            names=_names(parsed),
            not_before=parsed.not_valid_before_utc,
            not_after=parsed.not_valid_after_utc,
            self_signed=_signed_itself(parsed),
            sha256=sha256,
        )
    except ValueError:
        return Certificate(subject="unreadable", issuer="unreadable", sha256=sha256)


def _parse(der: bytes) -> x509.Certificate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd serial number is the peer's matter
        return x509.load_der_x509_certificate(der)


def _names(parsed: x509.Certificate) -> tuple[str, ...]:
    try:
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return ()
    addresses = names.get_values_for_type(x509.IPAddress)
    return (*names.get_values_for_type(x509.DNSName), *(str(address) for address in addresses))


def _signed_itself(parsed: x509.Certificate) -> bool:
    try:
        parsed.verify_directly_issued_by(parsed)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def blamed(problem: Problem, chain: tuple[Certificate, ...], *, now: datetime) -> int | None:
    """The place in the chain of the certificate that a problem is about, None when unclear."""
    for place, certificate in enumerate(chain):
        expired = certificate.not_after is not None and certificate.not_after < now
        early = certificate.not_before is not None and certificate.not_before > now
        dated = (problem == "certificate-expired" and expired) or (
            problem == "certificate-not-yet-valid" and early
        )
        if dated:
            return place
    if problem in ("certificate-name-mismatch", "certificate-self-signed"):
        return 0
    if problem in ("certificate-untrusted", "certificate-incomplete-chain") and chain:
        return len(chain) - 1
    return None


def intermediate_missing(ders: tuple[bytes, ...], trusted: ssl.SSLContext) -> bool:
    """Whether a chain that ends at no known authority looks cut short, not foreign.

    OpenSSL gives both the same code. A chain is taken for cut short when its last certificate
    says where its issuer's certificate is to be had (authority information access, RFC 5280
    section 4.2.2.1: a leaf straight from a private root seldom does), or when an authority
    of the issuer's organisation is trusted.
    """
    if not ders:
        return False
    try:
        last = _parse(ders[-1])
    except ValueError:
        return False
    if len(ders) == 1 and _tells_its_issuer(last):
        return True
    issuer = {str(a.value) for a in last.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)}
    return bool(issuer & _trusted_organisations(trusted))


def _trusted_organisations(trusted: ssl.SSLContext) -> set[str]:
    """Read by OpenSSL: some old public roots break rules that ``cryptography`` insists on."""
    return {
        str(attribute[1])
        for authority in trusted.get_ca_certs()
        for name in authority.get("subject", ())
        for attribute in name
        if attribute[0] == "organizationName"
    }


def _tells_its_issuer(certificate: x509.Certificate) -> bool:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    return any(d.access_method == AuthorityInformationAccessOID.CA_ISSUERS for d in access.value)
