"""The faults that a scenario can give to the API server."""

from __future__ import annotations

import asyncio
import resource
import sys
from typing import Any

import httpx
import pytest
from kube_lab import PODS, ClientFor, StartServer, running_pod, users

from keptn_doctor.lab.kube import Cluster, Misbehaviour


def cluster() -> Cluster:
    return Cluster("1.24", [running_pod()], users())


async def _begin(start: StartServer, **fault: Any) -> Any:
    return await start(cluster(), misbehaviours=(Misbehaviour(**fault),))


@pytest.mark.asyncio
async def test_a_hanging_server_takes_the_request_and_says_nothing(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await _begin(start, kind="hang", path_prefix="/api/v1")
    async with client_for(server) as client:
        assert (await client.get("/version")).status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            await client.get(PODS, timeout=0.2)


@pytest.mark.asyncio
async def test_a_dripping_server_outlives_every_read_timeout(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await _begin(start, kind="drip", seconds=0.05)
    async with client_for(server) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await client.get(PODS, timeout=0.3)


@pytest.mark.asyncio
async def test_a_reset_is_a_reset(start: StartServer, client_for: ClientFor) -> None:
    server = await _begin(start, kind="reset")
    async with client_for(server) as client:
        with pytest.raises(httpx.ReadError):
            await client.get(PODS)


@pytest.mark.asyncio
async def test_html_comes_where_json_belongs(start: StartServer, client_for: ClientFor) -> None:
    server = await _begin(start, kind="html", status=503)
    async with client_for(server) as client:
        answer = await client.get(PODS)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.asyncio
async def test_a_flood_is_never_held_in_memory(start: StartServer, client_for: ClientFor) -> None:
    server = await _begin(start, kind="flood", size=100_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = 0
    async with client_for(server) as client, client.stream("GET", PODS) as answer:
        async for block in answer.aiter_raw():
            size += len(block)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert size > 100_000_000
    assert grown < 50_000 * (1024 if sys.platform == "darwin" else 1)  # bytes there, else kB


@pytest.mark.asyncio
async def test_a_redirect_leads_to_itself(start: StartServer, client_for: ClientFor) -> None:
    server = await _begin(start, kind="redirect-loop")
    async with client_for(server) as client:
        with pytest.raises(httpx.TooManyRedirects):
            await client.get(PODS, follow_redirects=True)


@pytest.mark.asyncio
async def test_too_many_requests_says_when_to_come_back_and_ends(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await _begin(start, kind="too-many-requests", times=2, seconds=3)
    async with client_for(server) as client:
        answers = [await client.get(PODS) for _ in range(3)]
    assert [a.status_code for a in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "3"


@pytest.mark.asyncio
async def test_a_truncated_body_is_shorter_than_it_said(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await _begin(start, kind="truncate")
    async with client_for(server) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(PODS)


@pytest.mark.asyncio
async def test_a_fault_may_begin_and_end_while_the_server_runs(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(cluster())
    async with client_for(server) as client:
        server.misbehave(Misbehaviour(kind="unavailable", methods=("POST",)))
        assert (await client.get(PODS)).status_code == 200
        assert (await client.post(PODS, json=running_pod("b"))).status_code == 503
        server.misbehave()
        assert (await client.post(PODS, json=running_pod("b"))).status_code == 201


@pytest.mark.asyncio
async def test_a_slow_answer_is_still_the_right_one(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await _begin(start, kind="slow", seconds=0.05)
    async with client_for(server) as client:
        assert len((await client.get(PODS)).json()["items"]) == 1
