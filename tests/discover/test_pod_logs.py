"""What is kept of a log: meanings with their times, never a line that was not redacted first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clusters import fleet, helm_service, obj, session_on

from keptn_doctor.discover import discover
from keptn_doctor.lab.kube.pods import LogOptions, NoPods, cut_log
from keptn_doctor.model.keptn_facts import PodLog
from keptn_doctor.probes.gateway_log import read_gateway_log
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.pod_logs import Line, RawLog, pod_log, read_raw
from keptn_doctor.redact import Redactor

START = datetime(2022, 6, 1, 12, tzinfo=UTC)
ID = "0123456789abcdef0123456789abcdef01234567"
REGISTERED = (
    f'time="2022-06-01T12:00:00Z" level=info msg="Registered Keptn Integration with id {ID}"'
)
LOST = (
    'time="2022-06-01T12:00:{:02}Z" level=warning msg="Could not send heart beat to control plane '
    '(retry count: {}/10): Put \\"https://h/x\\": dial tcp: lookup h: no such host"'
)


def lines(*texts: str, step_s: float = 10) -> tuple[Line, ...]:
    return tuple(
        Line(at=START + timedelta(seconds=step_s * i), text=text) for i, text in enumerate(texts)
    )


def log(*texts: str, component: str = "distributor", head: tuple[Line, ...] = ()) -> PodLog:
    raw = RawLog(lines=lines(*texts), head=head)
    return pod_log(raw, pod="p", container="c", component=component)


def test_lines_of_one_meaning_are_counted_with_first_and_last_time() -> None:
    seen = log(REGISTERED, *(LOST.format(n, n) for n in range(1, 4)))
    (lost,) = [m for m in seen.matches if m.event == "heartbeat"]
    assert (lost.cause, lost.count) == ("dns", 3)
    assert lost.first_at == START + timedelta(seconds=10)
    assert lost.last_at == START + timedelta(seconds=30)


@pytest.mark.parametrize(("later_s", "told"), [(15, "203.0.113.7"), (900, None)])
def test_the_address_of_a_fault_is_known_though_its_last_line_does_not_name_it(
    later_s: float, told: str | None
) -> None:
    line = (
        'time="2022-06-01T12:00:00Z" level=error msg="Could not send heart beat to Keptn\'s '
        'control plane: Put \\"http://h/x/ping\\": {}"'
    )
    named = line.format("dial tcp 203.0.113.7:80: i/o timeout")
    unnamed = line.format(
        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    )
    raw = RawLog(lines=lines(named, unnamed, step_s=later_s))
    seen = pod_log(raw, pod="p", container="c", component="distributor", version="0.11.4")
    (lost,) = [m for m in seen.matches if m.event == "heartbeat"]
    assert (lost.cause, lost.count) == ("tcp_timeout", 2)
    assert lost.captures.get("dialled") == told


def test_the_registration_id_and_the_banner_are_taken_from_the_start() -> None:
    seen = log(
        "Remote execution plane..................true",
        "Keptn API endpoint......................https://keptn.example.com/api",
        REGISTERED,
    )
    assert seen.registration_ids == (ID,)
    assert (seen.banner_mode, seen.banner_endpoint) == ("remote", "https://keptn.example.com/api")


def test_a_head_that_the_rest_does_not_follow_on_is_read_once() -> None:
    head = lines(REGISTERED, LOST.format(1, 1))
    later = tuple(Line(at=START + timedelta(hours=1), text=LOST.format(2, 2)) for _ in range(2))
    raw = RawLog(lines=(*head, *later), head=head, since=later[0].at)
    seen = pod_log(raw, pod="p", container="c", component="distributor")
    assert seen.registration_ids == (ID,)
    assert {m.event: m.count for m in seen.matches}["heartbeat"] == 3
    assert seen.since == START + timedelta(hours=1)


def test_an_empty_log_says_nothing_and_breaks_nothing() -> None:
    seen = log()
    assert (seen.lines, seen.matches, seen.first_at) == (0, (), None)


class Logs(NoPods):
    """One log for every container."""

    def __init__(self, rows: list[str]) -> None:
        self.rows = rows

    async def logs(
        self, namespace: str, pod: str, container: str, options: LogOptions  # noqa: ARG002
    ) -> str | None:
        return cut_log(self.rows, tail_lines=options.tail_lines, limit_bytes=options.limit_bytes)


@asynccontextmanager
async def reading(folder: Path, rows: list[str]) -> AsyncIterator[tuple[KubeClient, Redactor]]:
    async with fleet(folder) as clusters:
        objects = [obj("Namespace", "keptn-exec"), *helm_service()]
        await clusters.add("exec-a", objects, pods=Logs(rows))
        async with session_on(clusters.targets(control="")) as session:
            await discover(session)
            kube = await session.kube("exec-a")
            assert isinstance(kube, KubeClient)
            yield kube, session.redactor


def stamped(text: str, second: int = 0) -> str:
    return f"{START + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S}.000000001Z {text}"


async def read(kube: KubeClient, redactor: Redactor) -> RawLog:
    return await read_raw(
        kube, "keptn-exec", "helm-service-5d9c7b-x2x4z", "distributor",
        redactor=redactor, window_s=900,
    )  # fmt: skip


@pytest.mark.asyncio
async def test_a_short_log_is_read_whole_and_redacted(tmp_path: Path) -> None:
    rows = [stamped("plain"), stamped("x-token: abcdef0123456789", 1)]
    async with reading(tmp_path, rows) as (kube, redactor):
        raw = await read(kube, redactor)
    assert [line.text for line in raw.lines] == ["plain", "x-token: [redacted]"]
    assert raw.since is None
    assert raw.lines[0].at == START


@pytest.mark.asyncio
async def test_the_token_of_a_service_is_gone_from_its_log_in_every_form(tmp_path: Path) -> None:
    encode: list[Callable[[str], str]] = [str, lambda t: t.encode().hex()]
    token = "fake-keptn-token-0123456789"
    async with reading(tmp_path, [stamped(f"odd {f(token)} end") for f in encode]) as (kube, r):
        raw = await read(kube, r)
    assert [line.text for line in raw.lines] == ["odd [redacted] end"] * 2


@pytest.mark.asyncio
async def test_a_long_log_gives_its_beginning_and_its_end(tmp_path: Path) -> None:
    rows = [stamped(REGISTERED), *(stamped("filler " + "x" * 80, n) for n in range(1, 8000))]
    async with reading(tmp_path, rows) as (kube, redactor):
        raw = await read(kube, redactor)
    seen = pod_log(raw, pod="p", container="c", component="distributor")
    assert seen.registration_ids == (ID,)
    assert raw.truncated
    assert len(raw.lines) == 5000
    assert seen.since == START + timedelta(seconds=3000)


# ------------------------------------------------------------------ the gateway's log


def access(method: str, path: str, status: int, source: str = "10.1.2.3") -> str:
    return (
        f'{source} - - [01/Jun/2022:12:00:00 +0000] "{method} {path} HTTP/1.1" {status} 512 "-" '
        '"Go-http-client/1.1"'
    )


def test_lines_of_the_gateway_are_known_again_whatever_their_time_and_kept_with_it() -> None:
    ping = access("PUT", f"/controlPlane/v1/uniform/registration/{ID}/ping", 200)
    later = ping.replace("12:00:00", "12:00:10")
    seen = log(ping, later, component="api-gateway-nginx")
    (pings,) = seen.matches
    assert (pings.signature, pings.count, pings.text) == ("gw.ping", 2, later)


def test_heartbeats_are_counted_per_id() -> None:
    ping = f"/api/controlPlane/v1/uniform/registration/{ID}/ping"
    seen = read_gateway_log(
        lines(
            access("PUT", ping, 200),
            access("PUT", ping, 200, "10.1.2.4"),
            access("PUT", ping, 404),
            access("GET", ping, 200),
            access("PUT", "/api/controlPlane/v1/uniform/registration//ping", 404),
            access("POST", "/api/v1/event", 401, "10.9.9.9"),
            access("GET", "/api/v1/metadata", 429),
        ),
        window_s=900,
    )
    (pings,) = seen.pings
    assert (pings.count, pings.statuses, pings.sources) == (3, (200, 404), ("10.1.2.3", "10.1.2.4"))
    assert (seen.rejected, seen.limited, seen.lines) == (1, 1, 7)
    assert (seen.rejected_sources, seen.limited_sources) == (("10.9.9.9",), ("10.1.2.3",))


def test_backends_that_could_not_be_reached_are_named_once() -> None:
    refused = (
        "2022/06/01 12:00:00 [error] 7#7: *1 connect() failed (111: Connection refused) while "
        'connecting to upstream, client: 10.1.2.3, request: "GET /api/x HTTP/1.1", '
        'upstream: "http://10.72.5.141:8080/x", host: "h"'
    )
    unknown = (
        '2022/06/01 12:00:00 [emerg] 1#1: host not found in upstream "statistics-service" in '
        "/etc/nginx/keptn-endpoints.conf:10"
    )
    seen = read_gateway_log(lines(refused, refused, unknown), window_s=900)
    assert seen.upstream_errors == (
        "connect() failed: http://10.72.5.141:8080 (2 times)",
        "host not found in upstream: statistics-service",
    )
