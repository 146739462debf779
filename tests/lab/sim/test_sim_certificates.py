"""Certificates of every bad kind, as OpenSSL and as Go judge them."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from sim_worlds import ADDRESS, HOST, client, listener, world

from keptn_doctor.lab.clients.go_errors import GoError
from keptn_doctor.lab.clients.go_http import Pod, Request, Transport, send
from keptn_doctor.lab.clients.go_resolver import Resolver
from keptn_doctor.lab.network.certificates import trusted_pem
from keptn_doctor.lab.settings import CertificateSettings, TlsSettings
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio


async def _verify_code(simulation: Simulation) -> int:
    host, port = simulation.network().destination(ADDRESS, 443)
    context = ssl.create_default_context(cafile=str(simulation.ca_file()))
    async with asyncio.timeout(5):
        try:
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=HOST)
        except ssl.SSLCertVerificationError as error:
            return error.verify_code
    writer.close()
    return 0


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("good", {0}),
        ("expired", {10}),
        ("not-yet-valid", {9}),
        ("wrong-name", {62}),
        ("self-signed", {18}),
        ("unknown-ca", {19}),
        ("missing-intermediate", {20}),
        ("no-san", {0, 62, 85}),  # some OpenSSL builds still take the common name for the host
        ("ingress-fake", {18, 20, 21}),
    ],
)
async def test_openssl_gives_each_kind_its_own_code(kind, codes):
    async with Simulation(world("0.19.3", certificate=kind)) as simulation:
        assert await _verify_code(simulation) in codes


def _pod(simulation: Simulation) -> Pod:
    return Pod(
        wire=simulation.wire,
        vantage="exec-a",
        service="keptn-exec/x",
        subject="exec-a/keptn/x",
        resolver=Resolver(server=simulation.name_servers["exec-a"], namespace="keptn-exec"),
        environment={},
        trusted_pem=trusted_pem(),
        clock=simulation.clock,
    )


async def _go(simulation: Simulation, go=(1, 16), host: str = HOST) -> str:
    request = Request(method="GET", url=f"https://{host}/nginx-health")
    transport = Transport(verify=True, go=go)
    try:
        await send(_pod(simulation), transport, request, rehearsing=False)
    except GoError as error:
        return error.text.partition('": ')[2]
    return ""


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("good", ""),
        ("expired", "x509: certificate has expired or is not yet valid: current time "),
        ("not-yet-valid", "x509: certificate has expired or is not yet valid: current time "),
        ("wrong-name", f"x509: certificate is valid for other.example.org, not {HOST}"),
        ("self-signed", "x509: certificate signed by unknown authority"),
        ("unknown-ca", "x509: certificate signed by unknown authority"),
        ("missing-intermediate", "x509: certificate signed by unknown authority"),
        ("no-san", "x509: certificate relies on legacy Common Name field, use SANs or temporarily"),
        ("ingress-fake", f"x509: certificate is valid for ingress.local, not {HOST}"),
    ],
)
async def test_go_words_each_kind_in_its_own_way(kind, text):
    async with Simulation(world("0.19.3", client("0.12.7", name="x"), certificate=kind)) as lab:
        found = await _go(lab)
        assert found.startswith(text)
        assert bool(found) == bool(text)


async def test_newer_go_says_that_tls_failed_to_verify():
    async with Simulation(world("1.4.5", client("1.4.5"), certificate="self-signed")) as lab:
        assert await _go(lab, go=(1, 20)) == (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority"
        )


async def test_an_address_needs_an_address_in_the_certificate():
    async with Simulation(world("0.19.3", client("0.12.7"))) as lab:
        assert await _go(lab, host=ADDRESS) == (
            f"x509: cannot validate certificate for {ADDRESS} because it doesn't contain any "
            "IP SANs"
        )


async def test_a_required_client_certificate_ends_the_connection():
    tls = TlsSettings(
        certificate=CertificateSettings(names=(HOST,)), client_certificate_required=True
    )
    secure = listener(443)
    settings = world(
        "0.19.3",
        client("0.12.7"),
        listeners=(type(secure)(address=ADDRESS, port=443, tls=tls), listener()),
    )
    async with Simulation(settings) as lab:
        assert await _go(lab) == "remote error: tls: certificate required"


async def test_https_to_a_plain_port_is_told_apart_from_bad_certificates():
    async with Simulation(world("0.19.3", client("0.12.7"))) as lab:
        assert await _go(lab, host=f"{HOST}:80") == (
            "http: server gave HTTP response to HTTPS client"
        )


async def test_tls_1_2_can_be_all_that_a_server_speaks():
    tls = TlsSettings(certificate=CertificateSettings(names=(HOST,)), maximum_version="1.2")
    settings = world("0.19.3", listeners=(type(listener())(address=ADDRESS, port=443, tls=tls),))
    async with Simulation(settings) as lab:
        host, port = lab.network().destination(ADDRESS, 443)
        context = ssl.create_default_context(cafile=str(lab.ca_file()))
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=HOST)
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.2"
        writer.close()
