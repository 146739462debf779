"""What the client makes of what an API server answers, good and bad."""

from __future__ import annotations

import asyncio
import json
import time

import msgspec
import pytest
from kube_worlds import NOBODY, READER, World, answering, kube_api, pod, stub

from keptn_doctor.lab.kube import KubeApiServer
from keptn_doctor.lab.kube.misbehaviour import Misbehaviour
from keptn_doctor.model.failure import Failure
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient

pytestmark = pytest.mark.asyncio

PODS = "/api/v1/namespaces/keptn-exec/pods"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "keptn-exec"}}


class Metadata(msgspec.Struct):
    name: str | None = None
    namespace: str | None = None


class Container(msgspec.Struct):
    name: str | None = None
    image: str | None = None


class Spec(msgspec.Struct):
    containers: tuple[Container, ...] = ()


class Item(msgspec.Struct):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: Spec = msgspec.field(default_factory=Spec)


def client(
    world: World,
    server: KubeApiServer | str,
    token: str = "admin-lab-token",
    *,
    limit_s: float = 30.0,
) -> KubeClient:
    url = server if isinstance(server, str) else server.url
    limits = Deadlines(connect_s=10, kube_s=limit_s)
    return KubeClient(world.access(url, token), deadlines=limits)


async def failure_of(world: World, url: str, *, limit_s: float = 30.0) -> Failure:
    async with client(world, url, limit_s=limit_s) as kube:
        with pytest.raises(WorldFault) as caught:
            await kube.list(PODS, Item)
    return caught.value.failure


async def test_a_list_longer_than_a_page_comes_complete(world: World) -> None:
    objects = (NAMESPACE, *(pod(f"pod-{i:04}") for i in range(1203)))
    async with kube_api(world.tls(), objects=objects) as server, client(world, server) as kube:
        found = await kube.listing(PODS, Item)
    assert [p.metadata.name for p in found.items] == [f"pod-{i:04}" for i in range(1203)]
    assert not found.truncated
    assert len([s for s in server.served if "limit=500" in s.query]) == 3
    assert found.read_at is not None


async def test_one_object_is_read(world: World) -> None:
    async with (
        kube_api(world.tls(), objects=(NAMESPACE, pod("a"))) as server,
        client(world, server) as kube,
    ):
        found = await kube.get(f"{PODS}/a", Item)
    assert found.metadata.name == "a"


async def test_a_list_that_expires_while_being_read_is_read_again(world: World) -> None:
    requests: list[str] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            requests.append(head.partition(" HTTP")[0])
            gone = "continue=" in head and len(requests) == 2
            page = {"metadata": {"continue": "" if len(requests) > 3 else "next"}, "items": [{}]}
            status = {"kind": "Status", "reason": "Expired", "code": 410}
            body = json.dumps(status if gone else page).encode()
            line = "410 Gone" if gone else "200 OK"
            writer.write(f"HTTP/1.1 {line}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    async with stub(handler, world.tls()) as url, client(world, url) as kube:
        found = await kube.list(PODS, Item)
    assert len(found) == 2
    assert ["continue" in r for r in requests] == [False, True, False, True]


async def test_a_list_that_never_ends_is_cut_and_says_so(world: World) -> None:
    page = json.dumps({"metadata": {"continue": "more"}, "items": [{}]}).encode()
    async with stub(answering("200 OK", page), world.tls()) as url, client(world, url) as kube:
        found = await kube.listing(PODS, Item)
    assert found.truncated


async def test_odd_objects_do_not_cost_the_list(world: World) -> None:
    items = [
        {"metadata": {"name": "good"}, "spec": {"containers": [{"name": "c"}]}},
        {"metadata": {"name": "null-list"}, "spec": {"containers": None}},
        {"metadata": {"name": "null-item"}, "spec": {"containers": [None]}},
        {"metadata": None},
        {"metadata": {"name": 7}},
        "text",
        None,
    ]
    body = json.dumps({"items": items}).encode()
    async with stub(answering("200 OK", body), world.tls()) as url, client(world, url) as kube:
        found = await kube.listing(PODS, Item)
    assert [i.metadata.name for i in found.items] == ["good", "null-list", "null-item", None]
    assert found.malformed == 3


async def test_a_missing_right_is_named(world: World) -> None:
    async with (
        kube_api(world.tls(), objects=(NAMESPACE,)) as server,
        client(world, server, NOBODY) as kube,
    ):
        with pytest.raises(WorldFault) as in_namespace:
            await kube.list(PODS, Item)
        with pytest.raises(WorldFault) as everywhere:
            await kube.list("/apis/apps/v1/deployments", Item)
        with pytest.raises(WorldFault) as cluster:
            await kube.list("/api/v1/nodes", Item)
        with pytest.raises(WorldFault) as log:
            await kube.logs("keptn-exec", "a", "main")
    rights = [c.value.failure for c in (in_namespace, everywhere, cluster, log)]
    assert [(f.phase, f.code, f.status) for f in rights] == [("auth", "forbidden", 403)] * 4
    assert [f.right for f in rights] == [
        "list pods in namespace keptn-exec",
        "list deployments.apps in all namespaces",
        "list nodes",
        "get pods/log in namespace keptn-exec",
    ]


async def test_what_is_allowed_is_read_beside_what_is_not(world: World) -> None:
    objects = (NAMESPACE, pod("a"))
    async with (
        kube_api(world.tls(), objects=objects) as server,
        client(world, server, READER) as kube,
    ):
        assert len(await kube.list(PODS, Item)) == 1
        with pytest.raises(WorldFault):
            await kube.list("/api/v1/namespaces/keptn-exec/secrets", Item)


async def test_an_unknown_token_is_unauthorized(world: World) -> None:
    async with kube_api(world.tls()) as server, client(world, server, "stale") as kube:
        with pytest.raises(WorldFault) as caught:
            await kube.list(PODS, Item)
    assert (caught.value.failure.phase, caught.value.failure.code) == ("auth", "unauthorized")
    assert "stale" not in str(caught.value.failure)


async def test_no_credentials_are_not_taken_for_a_missing_right(world: World) -> None:
    async with kube_api(world.tls()) as server, client(world, server, "") as kube:
        with pytest.raises(WorldFault) as caught:
            await kube.list(PODS, Item)
    failure = caught.value.failure
    assert (failure.code, failure.status, failure.right) == ("unauthorized", 403, "")
    assert "no credentials" in failure.detail


async def test_a_missing_object_and_a_missing_kind_are_told_apart(world: World) -> None:
    async with kube_api(world.tls(), objects=(NAMESPACE,)) as server, client(world, server) as kube:
        with pytest.raises(WorldFault) as missing_object:
            await kube.get(f"{PODS}/nope", Item)
        with pytest.raises(WorldFault) as missing_kind:
            await kube.list("/apis/route.openshift.io/v1/namespaces/keptn-exec/routes", Item)
    assert missing_object.value.failure.code == "not-found"
    assert missing_kind.value.failure.code == "resource-not-served"


@pytest.mark.parametrize(
    ("kind", "phase", "code"),
    [
        ("hang", "deadline", "deadline-exceeded"),
        ("drip", "deadline", "deadline-exceeded"),
        ("reset", "http", "connection-reset"),
        ("html", "parse", "not-json"),
        ("flood", "http", "too-large"),
        ("redirect-loop", "http", "unexpected-status"),
        ("unavailable", "kube", "server-error"),
        ("too-many-requests", "http", "rate-limited"),
    ],
)
async def test_a_misbehaving_server_is_a_failure_of_its_own(
    world: World, kind: str, phase: str, code: str
) -> None:
    async with kube_api(world.tls(), objects=(NAMESPACE, pod("a"))) as server:
        server.misbehave(Misbehaviour(kind=kind, seconds=0.05))  # type: ignore[arg-type]
        failure = await failure_of(world, server.url, limit_s=1.0 if phase == "deadline" else 30.0)
    assert (failure.phase, failure.code) == (phase, code), failure


async def test_an_answer_that_breaks_off_is_a_failure(world: World) -> None:
    async with kube_api(world.tls(), objects=(NAMESPACE, pod("a"))) as server:
        server.misbehave(Misbehaviour(kind="truncate"))
        failure = await failure_of(world, server.url)
    assert (failure.phase, failure.code, failure.status) == ("http", "truncated", 200)


async def test_a_passing_fault_is_asked_again(world: World) -> None:
    async with kube_api(world.tls(), objects=(NAMESPACE, pod("a"))) as server:
        server.misbehave(Misbehaviour(kind="unavailable", times=1))
        async with client(world, server) as kube:
            assert len(await kube.list(PODS, Item)) == 1


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(1, ("answered", 2)), (3600, ("rate-limited", 1))]
)
async def test_a_busy_server_is_asked_when_it_says_and_not_sooner(
    world: World, seconds: float, outcome: tuple[str, int]
) -> None:
    busy = Misbehaviour(kind="too-many-requests", seconds=seconds, times=1)
    async with kube_api(world.tls(), objects=(NAMESPACE, pod("a"))) as server:
        server.misbehave(busy)
        async with client(world, server) as kube:
            began, came = time.monotonic(), "answered"
            try:
                await kube.list(PODS, Item)
            except WorldFault as fault:
                came = fault.failure.code
            assert (came, kube.requests) == outcome
            assert came != "answered" or time.monotonic() - began >= seconds


async def test_a_refusal_is_not_asked_again(world: World) -> None:
    async with kube_api(world.tls()) as server, client(world, server, NOBODY) as kube:
        with pytest.raises(WorldFault):
            await kube.list(PODS, Item)
    assert len(server.served) == 1


async def test_a_login_page_with_403_is_not_taken_for_a_missing_right(world: World) -> None:
    page = b"<html><title>Sign in</title></html>"
    handler = answering("403 Forbidden", page, "text/html", Server="proxy")
    async with stub(handler, world.tls()) as url:
        failure = await failure_of(world, url)
    assert (failure.phase, failure.code) == ("http", "unexpected-status")
    assert "proxy" in failure.detail


async def test_text_where_an_object_belongs_is_a_failure(world: World) -> None:
    async with stub(answering("200 OK", b"ok", "text/plain"), world.tls()) as url:
        failure = await failure_of(world, url)
    assert (failure.phase, failure.code) == ("parse", "not-json")


async def test_an_object_of_another_shape_is_a_failure(world: World) -> None:
    body = json.dumps({"metadata": ["not", "a", "mapping"]}).encode()
    async with stub(answering("200 OK", body), world.tls()) as url, client(world, url) as kube:
        with pytest.raises(WorldFault) as caught:
            await kube.get("/api/v1/namespaces/x", Item)
    assert caught.value.failure.code == "unexpected-shape"


async def test_nothing_listening_is_a_refused_connection(world: World) -> None:
    async with stub(answering("200 OK", b"")) as url:
        pass
    failure = await failure_of(world, url.replace("http:", "https:"))
    assert (failure.phase, failure.code) == ("connect", "connection-refused")
    assert url.rpartition("/")[2] in failure.detail


async def test_plain_http_where_tls_belongs_is_said(world: World) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with stub(plain) as url:
        failure = await failure_of(world, url.replace("http:", "https:"))
    assert (failure.phase, failure.code) == ("tls", "not-tls")


async def test_a_name_that_does_not_exist_is_said(world: World) -> None:
    failure = await failure_of(world, "https://no-such-cluster.invalid:6443")
    assert failure.phase == "resolve"


async def test_the_server_clock_is_kept(world: World) -> None:
    handler = answering("200 OK", b'{"items":[]}', Date="Mon, 23 Nov 2026 13:50:00 GMT")
    async with stub(handler, world.tls()) as url, client(world, url) as kube:
        await kube.list(PODS, Item)
        assert kube.server_time is not None
        assert kube.server_time.isoformat() == "2026-11-23T13:50:00+00:00"


async def test_no_more_than_five_requests_are_in_flight(world: World) -> None:
    running = most = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        while True:
            await reader.readuntil(b"\r\n\r\n")
            running += 1
            most = max(most, running)
            for _ in range(50):
                await asyncio.sleep(0)
            running -= 1
            body = b'{"items":[]}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async with stub(handler, world.tls()) as url, client(world, url) as kube:
        await asyncio.gather(*(kube.list(PODS, Item) for _ in range(30)))
    assert 1 < most <= 5
