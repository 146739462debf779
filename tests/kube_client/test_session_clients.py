"""A session opens each cluster once, says why it cannot, and closes what it opened."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

import msgspec
import pytest
from kube_worlds import ADMIN, World, answering, kube_api, stub

from keptn_doctor.model.failure import Failure
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.recorder import Recorder
from keptn_doctor.session import Session
from keptn_doctor.targets import ApiTarget, ClusterTarget, Secret, Targets

pytestmark = pytest.mark.asyncio
NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Metadata(msgspec.Struct):
    name: str


class Item(msgspec.Struct):
    metadata: Metadata


def session(*targets: ClusterTarget, api: ApiTarget | None = None) -> Session:
    return Session(
        Targets(execution_planes=targets, api=api),
        Recorder(now=lambda: NOW),
        salt=b"salt",
        now=lambda: NOW,
        environ={"PATH": "/usr/bin"},
    )


async def test_two_targets_of_one_context_share_a_client_and_a_plugin_run(world: World) -> None:
    runs = world.folder / "runs"
    script = world.folder / "plugin.py"
    script.write_text(
        f"open({str(runs)!r}, 'a').write('x')\n"
        'print(\'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
        f'"status":{{"token":"{ADMIN}"}}}}\')\n'
    )
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(script)],
        }
    }
    async with kube_api(world.tls()) as server:
        path = str(world.kubeconfig(server.url, user))
        one = ClusterTarget(name="one", context="test", kubeconfig=path)
        two = ClusterTarget(name="two", context="test", kubeconfig=path, namespaces=("x",))
        async with session(one, two) as opened:
            clients = await asyncio.gather(*(opened.kube(n) for n in ("one", "two", "one")))
            assert isinstance(clients[0], KubeClient)
            assert clients[0] is clients[1] is clients[2]
            assert (await clients[0].get("/version", dict))["minor"]
            assert ADMIN not in opened.redactor.clean(f"refused {ADMIN}")
    assert runs.read_text() == "x"


async def test_a_cluster_without_credentials_is_a_failure_each_time(world: World) -> None:
    path = world.kubeconfig("https://192.0.2.1", {"tokenFile": "nowhere"})
    target = ClusterTarget(name="one", context="test", kubeconfig=str(path))
    async with session(target) as opened:
        first, second = await opened.kube("one"), await opened.kube("one")
    assert isinstance(first, Failure)
    assert first is second
    assert (first.phase, first.code) == ("auth", "credentials-unreadable")


async def test_a_vanished_context_is_a_failure_and_not_a_crash(world: World) -> None:
    path = world.kubeconfig("https://192.0.2.1", {"token": "t"})
    target = ClusterTarget(name="one", context="gone", kubeconfig=str(path))
    async with session(target) as opened:
        found = await opened.kube("one")
    assert isinstance(found, Failure)
    assert 'no context "gone"' in found.detail


async def test_the_token_of_the_api_is_known_to_the_redactor() -> None:
    api = ApiTarget(token=Secret("open-sesame"))
    async with session(api=api) as opened:
        assert "open-sesame" not in opened.redactor.clean("x-token: open-sesame!")


async def test_an_unknown_name_is_a_bug() -> None:
    async with session() as opened:
        with pytest.raises(KeyError):
            await opened.kube("nobody")


async def test_what_a_list_left_out_becomes_coverage(world: World) -> None:
    body = b'{"items":[{"metadata":{"name":7}},{"metadata":{"name":"good"}}]}'

    async with stub(answering("200 OK", body), world.tls()) as url:
        path = str(world.kubeconfig(url, {"token": "t"}))
        opened = session(ClusterTarget(name="eu", context="test", kubeconfig=path))
        async with opened:
            kube = await opened.kube("eu")
            assert isinstance(kube, KubeClient)
            assert len(await kube.list("/apis/apps/v1/deployments", Item)) == 1
    assert [(n.subject, n.kind, n.reason) for n in opened.recorder.not_attempted] == [
        ("eu", "limit", "/apis/apps/v1/deployments: 1 malformed objects were passed over")
    ]
