"""Shakes hands twice, side by side: trusting anybody, to see what there is, and verifying it.

A bad certificate is a fact about the session and no failure to look, for Keptn's distributors
verify or do not by version and setting; the judging is the checks'. It never sends a request.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from keptn_doctor.model.path_facts import TlsSession
from keptn_doctor.probes.failures import (
    WorldFault,
    certificate_problem,
    fault,
    handshake_failure,
)
from keptn_doctor.probes.network import Network, Stream, new_context
from keptn_doctor.probes.stopwatch import spending

_ALERT, _HANDSHAKE = 0x15, 0x16  # record types: all that a TLS peer may open with (RFC 8446, 5.1)
_CERTIFICATE_REQUEST = 13  # handshake message type (RFC 8446, B.3)
_REFUSAL_WAIT_S = 0.3  # TLS 1.3 refuses a missing client certificate only after the handshake
_CHUNK = 1 << 14


async def shake_hands(network: Network, host: str, port: int, *, deadline_s: float) -> TlsSession:
    """The session with ``host``, and what verifying its certificate says.

    ``deadline_s`` holds for each of the handshakes, which are two, or three with an outdated peer.
    Raises WorldFault: phase "connect", or phase "tls" with not-tls, protocol-version,
    handshake-failed, client-certificate-required, connection-reset, connection-closed or
    read-timeout.
    """
    trusting, verifying = await asyncio.gather(
        _unverified(network, host, port, deadline_s=deadline_s),
        _verify(network, host, port, deadline_s=deadline_s),
        return_exceptions=True,
    )
    if isinstance(trusting, WorldFault) and trusting.failure.code in _MAY_BE_OUTDATED:
        await _refuse_outdated(network, host, port, deadline_s=deadline_s)
    if isinstance(trusting, BaseException):
        raise trusting
    if isinstance(verifying, BaseException):
        raise verifying
    tls, requested = trusting
    context, verify_code = verifying
    from keptn_doctor.probes import certificates  # noqa: PLC0415 - loaded by _prepared

    ders = certificates.sent_chain(tls)
    chain = tuple(certificates.read(der) for der in ders)
    incomplete = certificates.intermediate_missing(ders, context) if verify_code else False
    problem = certificate_problem(verify_code, incomplete=incomplete)
    return TlsSession(
        host=host,
        protocol=tls.version() or "",
        cipher=(tls.cipher() or ("",))[0],
        chain=chain,
        problem=problem,
        verify_code=verify_code,
        problem_at=certificates.blamed(problem, chain, now=datetime.now(UTC)),
        client_certificate_requested=requested,
    )


def _prepared(network: Network) -> ssl.SSLContext:
    """What only a look at TLS needs, and takes 55 ms the first time, in which others can go on."""
    import keptn_doctor.probes.certificates  # noqa: F401, PLC0415 - 34 ms, for cryptography

    return network.context(verify=True)


_MAY_BE_OUTDATED = (
    "protocol-version",
    "handshake-failed",
    "connection-closed",
    "connection-reset",
)


async def _unverified(
    network: Network, host: str, port: int, *, deadline_s: float
) -> tuple[ssl.SSLObject, bool]:
    """The session, and whether the peer asked for a client certificate."""
    context = new_context()
    asked: list[bool] = []
    _on_certificate_request(context, lambda: asked.append(True))
    stream = await network.open(host, port, deadline_s=deadline_s)
    try:
        tls, incoming = await _handshake(stream, context, host, deadline_s=deadline_s)
        if asked and tls.version() == "TLSv1.3":
            await _wait_for_refusal(stream, tls, incoming)
    except WorldFault:
        raise
    except (OSError, ssl.SSLError) as error:
        raise WorldFault(handshake_failure(error, certificate_requested=bool(asked))) from None
    finally:
        stream[1].close()
    return tls, bool(asked)


async def _verify(
    network: Network, host: str, port: int, *, deadline_s: float
) -> tuple[ssl.SSLContext, int]:
    """The context that verifies, and OpenSSL's verify code for the peer, 0 when it is fine."""
    context = await asyncio.to_thread(_prepared, network)
    stream = await network.open(host, port, deadline_s=deadline_s)
    try:
        await _handshake(stream, context, host, deadline_s=deadline_s)
    except ssl.SSLCertVerificationError as error:
        return context, int(error.verify_code)
    except (OSError, ssl.SSLError) as error:
        raise WorldFault(handshake_failure(error, certificate_requested=False)) from None
    finally:
        stream[1].close()
    return context, 0


async def _refuse_outdated(network: Network, host: str, port: int, *, deadline_s: float) -> None:
    """Raise protocol-version when the peer would shake hands with a client of long ago."""
    context = new_context()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")  # OpenSSL 3 keeps TLS 1.0 and 1.1 for level 0
    try:
        stream = await network.open(host, port, deadline_s=deadline_s)
    except WorldFault:
        return
    try:
        tls, _ = await _handshake(stream, context, host, deadline_s=deadline_s)
    except (WorldFault, OSError, ssl.SSLError):
        return
    finally:
        stream[1].close()
    version = tls.version() or "an unknown version"
    if version in ("TLSv1.2", "TLSv1.3"):
        raise fault("tls", "handshake-failed", f"{version} with weak ciphers or keys only")
    raise fault("tls", "protocol-version", f"the peer speaks nothing newer than {version}")


async def _handshake(
    stream: Stream, context: ssl.SSLContext, host: str, *, deadline_s: float
) -> tuple[ssl.SSLObject, ssl.MemoryBIO]:
    """TLS over memory buffers, so that what the peer really sent first can be seen."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    name = host.strip("[]").rstrip(".")
    received = 0
    try:
        tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    except ValueError:
        raise fault("resolve", "name-invalid", f"{host!r} cannot be asked for in TLS") from None
    try:
        async with asyncio.timeout(deadline_s):
            with spending("tls"):
                while _unfinished(tls, outgoing, stream[1]):
                    await stream[1].drain()
                    received += await _take(stream[0], incoming, first=not received)
                await stream[1].drain()
    except TimeoutError as error:
        if error.errno is not None:
            raise
        detail = (
            f"no more than {received} bytes in {deadline_s:g} s"
            if received
            else (f"accepted the connection, then said nothing for {deadline_s:g} s")
        )
        raise fault("tls", "read-timeout", detail) from None
    return tls, incoming


def _unfinished(tls: ssl.SSLObject, outgoing: ssl.MemoryBIO, writer: asyncio.StreamWriter) -> bool:
    """One step of the handshake; what is to be sent, an alert too, goes out in any case."""
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return True
    finally:
        writer.write(outgoing.read())
    return False


async def _take(reader: asyncio.StreamReader, incoming: ssl.MemoryBIO, *, first: bool) -> int:
    data = await reader.read(_CHUNK)
    if not data:
        raise ssl.SSLEOFError("closed")
    if first and data[0] not in (_ALERT, _HANDSHAKE):
        raise fault("tls", "not-tls", "the peer's first byte is not TLS")
    return incoming.write(data)


async def _wait_for_refusal(stream: Stream, tls: ssl.SSLObject, incoming: ssl.MemoryBIO) -> None:
    """Raise the alert that a peer sends when it insists on a client certificate."""
    try:
        async with asyncio.timeout(_REFUSAL_WAIT_S):
            while True:
                try:
                    tls.read(1)
                except ssl.SSLWantReadError:
                    await _take(stream[0], incoming, first=False)
    except TimeoutError as error:
        if error.errno is not None:
            raise


def _on_certificate_request(context: ssl.SSLContext, tell: Callable[[], None]) -> None:
    """Watch for CertificateRequest, which Python's ssl shows by its debugging hook alone."""

    def see(*event: Any) -> None:
        _tls, _direction, _version, content, kind, _data = event
        if content == _HANDSHAKE and kind == _CERTIFICATE_REQUEST:
            tell()

    if hasattr(context, "_msg_callback"):
        context._msg_callback = see  # noqa: SLF001
