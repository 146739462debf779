"""The TLS side of the lab's API server."""

from __future__ import annotations

import ssl
from pathlib import Path

# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python's ssl does not name.
_NO_CHECK_TIME = 0x200000


def server_context(
    certificate: Path, key: Path, *, client_authority: Path | None = None
) -> ssl.SSLContext:
    """A context for KubeApiServer from PEM files; the certificate file may hold a chain.

    With ``client_authority`` the server asks for a client certificate, takes none as well, and
    leaves the dates to authentication (expired: 401). A certificate of another authority fails in
    the handshake, where a real API server would answer 401: OpenSSL gives Python no choice.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if client_authority is not None:
        context.load_verify_locations(client_authority)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
    return context
