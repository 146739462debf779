"""The TLS rung: every bad certificate is a fact with a code, every broken handshake a failure."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from datetime import timedelta
from pathlib import Path

import pytest

from keptn_doctor.model.path_facts import TlsSession
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.tls import shake_hands

from . import pki
from .conftest import Serve, hang_up, reset, silent

pytestmark = pytest.mark.asyncio

HOST = "keptn.example.com"


async def session(
    serve: Serve, network: Network, context: ssl.SSLContext, host: str = HOST
) -> TlsSession:
    port = await serve(hang_up, tls=context)
    return await shake_hands(network.at(host, "127.0.0.1"), host, port, deadline_s=5)


async def refusal(
    network: Network, port: int, host: str = HOST, deadline_s: float = 5
) -> tuple[str, str]:
    with pytest.raises(WorldFault) as caught:
        await shake_hands(network.at(host, "127.0.0.1"), host, port, deadline_s=deadline_s)
    return caught.value.failure.phase, caught.value.failure.code


async def test_a_good_certificate_has_no_problem(
    serve: Serve, network: Network, tmp_path: Path
) -> None:
    leaf = pki.make("leaf", signer=pki.intermediate(), names=[HOST])
    seen = await session(serve, network, pki.server_context(tmp_path, leaf, pki.intermediate()))
    assert (seen.problem, seen.verify_code, seen.problem_at) == ("", 0, None)
    assert seen.protocol == "TLSv1.3"
    assert [c.subject for c in seen.chain] == ["CN=leaf", "CN=Test Intermediate"]
    assert seen.chain[0].names == (HOST,)
    assert not seen.client_certificate_requested


async def test_the_two_handshakes_do_not_wait_for_each_other(
    serve: Serve, network: Network, tmp_path: Path
) -> None:
    context = pki.server_context(tmp_path, pki.make("leaf", signer=pki.root(), names=[HOST]))
    behind, both = await serve(hang_up, tls=context), asyncio.Barrier(2)

    async def wait_for_the_other(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await both.wait()
        there = await asyncio.open_connection("127.0.0.1", behind)
        await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 16):
            sink.write(data)
        sink.close()

    port = await serve(wait_for_the_other)
    seen = await shake_hands(network.at(HOST, "127.0.0.1"), HOST, port, deadline_s=5)
    assert seen.verify_code == 0


BAD = {
    "expired leaf": (
        {"signer": pki.root(), "names": [HOST], "begins": -9 * pki.DAY, "ends": -pki.DAY},
        (), "certificate-expired", 10, 0,
    ),
    "not yet valid": (
        {"signer": pki.root(), "names": [HOST], "begins": timedelta(hours=1)},
        (), "certificate-not-yet-valid", 9, 0,
    ),
    "wrong name": (
        {"signer": pki.root(), "names": ["other.example.com"]},
        (), "certificate-name-mismatch", 62, 0,
    ),
    "no names at all": (
        {"signer": pki.root(), "bare": True}, (), "certificate-name-mismatch", 62, 0,
    ),
    "self-signed": ({"names": [HOST]}, (), "certificate-self-signed", 18, 0),
    "unknown authority, sent": (
        {"signer": pki.stranger(), "names": [HOST]},
        (pki.stranger(),), "certificate-untrusted", 19, 1,
    ),
    "unknown authority, not sent": (
        {"signer": pki.stranger(), "names": [HOST]}, (), "certificate-untrusted", 20, 0,
    ),
    "intermediate not sent, leaf names its issuer": (
        {"signer": pki.intermediate(), "names": [HOST], "tells_issuer": True},
        (), "certificate-incomplete-chain", 20, 0,
    ),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_certificate_is_a_fact_with_openssls_code(
    kind: str, serve: Serve, network: Network, tmp_path: Path
) -> None:
    options, others, problem, code, place = BAD[kind]
    leaf = pki.make("leaf", **options)
    seen = await session(serve, network, pki.server_context(tmp_path, leaf, *others))
    assert (seen.problem, seen.verify_code, seen.problem_at) == (problem, code, place)


async def test_an_expired_intermediate_is_told_from_an_expired_leaf(
    serve: Serve, network: Network, tmp_path: Path
) -> None:
    old = pki.make(
        "Old", signer=pki.root(), authority=True, begins=-9 * pki.DAY, ends=-pki.DAY
    )
    leaf = pki.make("leaf", signer=old, names=[HOST])
    seen = await session(serve, network, pki.server_context(tmp_path, leaf, old))
    assert (seen.problem, seen.problem_at) == ("certificate-expired", 1)


async def test_an_issuer_of_a_trusted_organisation_makes_the_chain_incomplete(
    serve: Serve, network: Network, tmp_path: Path
) -> None:
    sister = pki.make(
        "Issuing 2", signer=pki.root(), authority=True, organisation="Trusted Testers"
    )
    leaf = pki.make("leaf", signer=sister, names=[HOST])
    seen = await session(serve, network, pki.server_context(tmp_path, leaf))
    assert seen.problem == "certificate-incomplete-chain"


async def test_a_certificate_for_a_name_does_not_hold_for_an_address(
    serve: Serve, network: Network, tmp_path: Path
) -> None:
    leaf = pki.make("leaf", signer=pki.root(), names=[HOST])
    seen = await session(serve, network, pki.server_context(tmp_path, leaf), host="127.0.0.1")
    assert (seen.problem, seen.verify_code) == ("certificate-name-mismatch", 64)


async def test_a_certificate_without_key_identifiers_is_fine_on_every_python(
    serve: Serve, network: Network, tmp_path: Path
) -> None:
    leaf = pki.make("leaf", signer=pki.root(), names=[HOST], bare=True)
    assert (await session(serve, network, pki.server_context(tmp_path, leaf))).problem == ""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_required_client_certificate_is_told(
    version: ssl.TLSVersion, serve: Serve, network: Network, tmp_path: Path
) -> None:
    context = pki.server_context(tmp_path, pki.make("leaf", signer=pki.root(), names=[HOST]))
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    port = await serve(hang_up, tls=context)
    assert await refusal(network, port) == ("tls", "client-certificate-required")


async def test_a_client_certificate_that_is_only_asked_for_is_a_fact(
    serve: Serve, network: Network, tmp_path: Path
) -> None:
    context = pki.server_context(tmp_path, pki.make("leaf", signer=pki.root(), names=[HOST]))
    context.verify_mode = ssl.CERT_OPTIONAL
    assert (await session(serve, network, context)).client_certificate_requested


async def test_plain_http_on_the_port_is_not_tls(serve: Serve, network: Network) -> None:
    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        await writer.drain()

    assert await refusal(network, await serve(http)) == ("tls", "not-tls")


async def test_a_peer_of_yesterday_is_too_old(
    serve: Serve, network: Network, tmp_path: Path
) -> None:
    context = pki.server_context(tmp_path, pki.make("leaf", signer=pki.root(), names=[HOST]))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is the point of the test
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    port = await serve(hang_up, tls=context)
    assert await refusal(network, port) == ("tls", "protocol-version")


async def test_a_silent_peer_ends_at_the_deadline(serve: Serve, network: Network) -> None:
    port = await serve(silent)
    assert await refusal(network, port, deadline_s=0.05) == ("tls", "read-timeout")


async def test_a_reset_and_a_hang_up_in_the_handshake_are_told_apart(
    serve: Serve, network: Network
) -> None:
    assert await refusal(network, await serve(reset)) == ("tls", "connection-reset")
    assert await refusal(network, await serve(hang_up)) == ("tls", "connection-closed")


async def test_a_port_that_refuses_breaks_below_tls(network: Network, dead_port: int) -> None:
    assert await refusal(network, dead_port) == ("connect", "connection-refused")
