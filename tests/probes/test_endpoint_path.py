"""The walk to an endpoint stops at the first broken rung and says so of the rungs above."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from keptn_doctor.model.failure import Failure
from keptn_doctor.model.keptn_facts import IntegrationListing, TokenCheck
from keptn_doctor.model.path_facts import (
    DnsAnswer,
    GatewayAnswers,
    HttpAnswer,
    TcpConnection,
    TlsSession,
)
from keptn_doctor.model.topology import Endpoint
from keptn_doctor.network_settings import ConnectTo, Deadlines, NetworkSettings
from keptn_doctor.probes.control_plane_api import Interests, observe_keptn_api
from keptn_doctor.probes.endpoint_path import observe_endpoint
from keptn_doctor.probes.keptn_api import TURNS, KeptnApi
from keptn_doctor.probes.lines import Lines
from keptn_doctor.probes.network import Network
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.probes.retry import RetryPolicy
from keptn_doctor.secret import Secret

from . import pki
from .conftest import Serve, Zone, hang_up
from .keptn_site import TOKEN, Keptn, data, error

pytestmark = pytest.mark.asyncio

HOST = "keptn.example.com"
QUICK = RetryPolicy(attempts=2, base_s=0.001)
CONTROL_PLANE = "control-plane/keptn"


def endpoint(scheme: str = "http", host: str = HOST, defect: str = "") -> Endpoint:
    port = {"http": 80, "https": 443}.get(scheme, 0)
    url = f"{scheme}://{host}/api"
    return Endpoint(url=url, scheme=scheme, host=host, port=port, path="/api", defect=defect)


def network(zone: Zone, *rules: ConnectTo, trust: str = "") -> Network:
    zone.records.append(f"{HOST}. 60 IN A 192.0.2.10")
    settings = msgspec.structs.replace(zone.settings(), connect_to=rules, trust_ca_file=trust)
    return Network(settings)


def to(port: int, to_port: int, host: str = "192.0.2.10") -> ConnectTo:
    return ConnectTo(host=host, port=port, to_host="127.0.0.1", to_port=to_port)


async def walk(
    at: Network,
    target: Endpoint,
    *,
    token: str | None = None,
    connect_s: float = 2.0,
    lines: Lines | None = None,
) -> tuple[Recorder, KeptnApi | None]:
    recorder = Recorder(now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    api = await observe_endpoint(
        recorder,
        at,
        target,
        Secret(token) if token else None,
        Deadlines(connect_s=connect_s, request_s=2),
        patience=QUICK,
        policy=QUICK,
        lines=lines,
    )
    return recorder, api


def rungs(recorder: Recorder) -> list[tuple[str, str]]:
    return [
        (o.probe, o.result.code if isinstance(o.result, Failure) else "ok")
        for o in recorder.observations
    ]


def skipped(recorder: Recorder) -> list[str]:
    return [note.probe for note in recorder.not_attempted]


async def test_a_sound_path_has_every_rung(serve: Serve, zone: Zone, tmp_path: Path) -> None:
    leaf = pki.make("leaf", signer=pki.root(), names=[HOST])
    port = await serve(Keptn(), tls=pki.server_context(tmp_path, leaf))
    (tmp_path / "ca.pem").write_bytes(pki.root().pem())
    at = network(zone, to(443, port), trust=str(tmp_path / "ca.pem"))
    recorder, api = await walk(at, endpoint("https"))
    results = [o.result for o in recorder.observations]
    kinds = [DnsAnswer, TcpConnection, TlsSession, HttpAnswer, GatewayAnswers]
    assert [type(result) for result in results] == kinds
    assert {o.subject for o in recorder.observations} == {f"endpoint:https://{HOST}/api"}
    assert isinstance(results[1], TcpConnection)
    assert results[1].address == "192.0.2.10"
    assert isinstance(results[2], TlsSession)
    assert results[2].problem == ""
    assert isinstance(results[4], GatewayAnswers)
    assert results[4].reached == "keptn"
    assert api is not None
    assert recorder.not_attempted == []


async def test_a_bad_certificate_breaks_no_rung(serve: Serve, zone: Zone, tmp_path: Path) -> None:
    leaf = pki.make("leaf", names=[HOST])
    at = network(zone, to(443, await serve(Keptn(), tls=pki.server_context(tmp_path, leaf))))
    recorder, _ = await walk(at, endpoint("https"))
    assert rungs(recorder)[-1] == ("gateway-answers", "ok")
    (session,) = [o.result for o in recorder.observations if isinstance(o.result, TlsSession)]
    assert session.problem == "certificate-self-signed"


async def test_an_unknown_name_stops_the_walk(zone: Zone) -> None:
    recorder, api = await walk(Network(zone.settings()), endpoint("https"))
    assert rungs(recorder) == [("dns", "name-unknown")]
    assert skipped(recorder) == ["tcp", "tls", "http", "gateway-answers"]
    assert api is None


async def test_a_refused_port_stops_the_walk(zone: Zone, dead_port: int) -> None:
    recorder, _ = await walk(network(zone, to(80, dead_port)), endpoint())
    assert rungs(recorder) == [("dns", "ok"), ("tcp", "connection-refused")]
    assert skipped(recorder) == ["http", "gateway-answers"]
    assert recorder.observations[1].attempts == 1


async def test_a_passing_trouble_is_asked_again_and_counted(serve: Serve, zone: Zone) -> None:
    zone.behaviour["*"] = "servfail"
    recorder, _ = await walk(network(zone, to(80, await serve(Keptn()))), endpoint())
    assert recorder.observations[0].attempts == 2


async def test_https_at_a_plain_port_asks_who_is_there(serve: Serve, zone: Zone) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(3)
        if first != b"GET":
            writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        reader.feed_data(b"")
        rest = await reader.readuntil(b"\r\n\r\n")
        status, kind, body = Keptn().answer("GET", rest.split()[0].decode(), "")
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            f"Connection: close\r\n\r\n{body}".encode()
        )
        await writer.drain()

    recorder, api = await walk(network(zone, to(443, await serve(plain))), endpoint("https"))
    assert rungs(recorder)[2:] == [("tls", "not-tls"), ("gateway-answers", "ok")]
    answers = recorder.observations[-1].result
    assert isinstance(answers, GatewayAnswers)
    assert (answers.reached, answers.keptn_version) == ("nobody", "0.19.3")
    assert isinstance(answers.answer("plain-http"), HttpAnswer)
    assert api is None


async def test_a_peer_that_hangs_up_leaves_the_routes_unasked(serve: Serve, zone: Zone) -> None:
    recorder, _ = await walk(network(zone, to(80, await serve(hang_up))), endpoint())
    assert rungs(recorder)[-1] == ("http", "connection-closed")
    assert skipped(recorder) == ["gateway-answers"]


@pytest.mark.parametrize(
    "target",
    [endpoint(defect="has no host", host=""), endpoint("ftp"), endpoint(host="")],
    ids=["defect", "scheme", "host"],
)
async def test_a_url_that_is_none_is_not_walked(target: Endpoint, zone: Zone) -> None:
    recorder, _ = await walk(Network(zone.settings()), target)
    assert recorder.observations == []
    assert "dns" in skipped(recorder)


async def test_a_rule_for_the_name_makes_dns_pointless(serve: Serve, zone: Zone) -> None:
    at = Network(
        msgspec.structs.replace(
            zone.settings(), connect_to=(to(80, await serve(Keptn()), host=HOST),)
        )
    )
    recorder, api = await walk(at, endpoint())
    assert [probe for probe, _ in rungs(recorder)] == ["tcp", "http", "gateway-answers"]
    assert skipped(recorder) == ["dns"]
    assert zone.queries == []
    assert api is not None


async def test_a_proxy_takes_the_place_of_the_lower_rungs(serve: Serve) -> None:
    site = Keptn()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        target = head.split()[1].removeprefix(f"http://{HOST}")
        status, kind, body = site.answer("GET", target, "")
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            f"Connection: close\r\n\r\n{body}".encode()
        )
        await writer.drain()

    settings = NetworkSettings(proxy=f"http://127.0.0.1:{await serve(proxy)}")
    recorder, api = await walk(Network(settings), endpoint())
    assert rungs(recorder) == [("http", "ok"), ("gateway-answers", "ok")]
    assert skipped(recorder) == ["dns", "tcp", "tls"]
    assert api is not None


async def test_the_first_request_goes_on_the_connection_of_the_rung_below(
    serve: Serve, zone: Zone
) -> None:
    site = Keptn()
    at = network(zone, to(80, await serve(site)))
    _, api = await walk(at, endpoint())
    assert api is not None
    assert site.connections == len(site.requests)


async def test_the_connection_of_the_rung_is_closed_where_tls_comes_next(
    serve: Serve, zone: Zone
) -> None:
    closed = asyncio.Event()

    async def wait_for_the_end(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        if not await reader.read(1):
            closed.set()

    at = network(zone, to(443, await serve(wait_for_the_end)))
    await walk(at, endpoint("https"))
    async with asyncio.timeout(5):
        await closed.wait()


# --- what the API tells


async def one_type() -> Interests:
    return Interests(event_types=("sh.keptn.event.x.triggered",))


async def observed(serve: Serve, zone: Zone, site: Keptn, token: str | None) -> Recorder:
    lines, at = Lines(), network(zone, to(80, await serve(site)))
    recorder, api = await walk(at, endpoint(), token=token, lines=lines)
    assert api is not None
    await observe_keptn_api(recorder, api, subject=CONTROL_PLANE, interests=one_type)
    await lines.aclose()
    return recorder


async def test_no_more_requests_with_the_token_are_in_flight_than_the_limiter_allows(
    serve: Serve, zone: Zone
) -> None:
    site = Keptn()
    site.turns_of_the_loop = 200
    await observed(serve, zone, site, TOKEN)
    assert site.most_at_once[True] == 2
    assert site.most_at_once[False] > 1, "what needs no token is asked side by side"


async def test_reads_with_the_token_share_connections(serve: Serve, zone: Zone) -> None:
    site = Keptn()
    site.keeps_open = True
    await observed(serve, zone, site, TOKEN)
    without = [token for _, _, token in site.requests if not token]
    assert len(site.requests) > len(without) + 6
    opened = site.connections - len(without)
    assert opened < TURNS, "one was open already when the first of them was sent"


async def test_a_connection_that_was_hung_up_while_idle_is_no_failure(
    serve: Serve, zone: Zone
) -> None:
    site = Keptn()
    site.keeps_open = site.hangs_up = True
    recorder = await observed(serve, zone, site, TOKEN)
    logs = [o for o in recorder.observations if o.probe == "integration-log"]
    assert [(type(o.result).__name__, o.attempts) for o in logs] == [("IntegrationLog", 1)]


async def test_a_good_token_opens_every_fact(serve: Serve, zone: Zone) -> None:
    site = Keptn()
    kind = "sh.keptn.event.y.triggered"
    site.answers["/controlPlane/v1/uniform/registration"] = data(
        [{"id": "a", "subscriptions": [{"event": kind}]}]
    )
    for asked in (kind, "sh.keptn.event.x.triggered"):
        site.answers[f"/controlPlane/v1/event/triggered/{asked}"] = data({"events": []})
    recorder = await observed(serve, zone, site, TOKEN)
    seen = [(o.probe, type(o.result).__name__) for o in recorder.observations]
    assert seen[-6:-4] == [("token-check", "TokenCheck"), ("keptn-version", "KeptnVersion")]
    assert sorted(seen[-4:-2]) == [
        ("integrations", "IntegrationListing"), ("projects", "ProjectListing"),
    ]  # fmt: skip
    assert sorted(seen[-2:]) == [
        ("integration-log", "IntegrationLog"), ("open-events", "OpenEvents"),
    ]  # fmt: skip
    assert {o.subject for o in recorder.observations[-6:]} == {CONTROL_PLANE}
    assert recorder.not_attempted == []
    assert {method for method, _, _ in site.requests} == {"GET"}
    text = msgspec.json.encode(recorder.observations).decode()
    assert TOKEN not in text


@pytest.mark.parametrize("token", [None, "yesterdays-token-0123456789"])
async def test_without_a_good_token_the_rest_is_not_attempted(
    token: str | None, serve: Serve, zone: Zone
) -> None:
    site = Keptn()
    recorder = await observed(serve, zone, site, token)
    lists = ["integrations", "projects", "integration-log", "open-events"]
    assert [probe for probe in skipped(recorder) if probe in lists] == lists
    assert all(note.unlock for note in recorder.not_attempted)
    assert ("keptn-version", "ok") in rungs(recorder)
    assert len([used for _, _, used in site.requests if used]) <= 1
    assert not recorder.facts(IntegrationListing)
    if token:
        ((_, checked),) = recorder.facts(TokenCheck)
        assert not checked.accepted


async def test_a_forbidden_list_is_a_failure_and_not_an_empty_list(
    serve: Serve, zone: Zone
) -> None:
    site = Keptn()
    site.answers["/controlPlane/v1/uniform/registration"] = error(403, "denied")
    recorder = await observed(serve, zone, site, TOKEN)
    assert ("integrations", "forbidden") in rungs(recorder)
    assert ("projects", "ok") in rungs(recorder)


async def test_the_certificate_behind_a_redirect_is_seen_too(
    serve: Serve, zone: Zone, tmp_path: Path
) -> None:
    async def to_https(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        where = f"Location: https://{HOST}{path}\r\n"
        writer.write(f"HTTP/1.1 301 X\r\n{where}Content-Length: 0\r\n\r\n".encode())
        writer.close()

    leaf = pki.make("leaf", names=[HOST])
    secure = await serve(Keptn(), tls=pki.server_context(tmp_path, leaf))
    recorder, _ = await walk(
        network(zone, to(80, await serve(to_https)), to(443, secure)), endpoint()
    )
    (session,) = [o.result for o in recorder.observations if isinstance(o.result, TlsSession)]
    assert session.problem == "certificate-self-signed"
