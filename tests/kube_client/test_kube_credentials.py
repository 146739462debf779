"""Every way into a cluster that a kubeconfig knows: it works, or says what is wrong with it."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from credentials import SERVER, jwt, load, refused, who_am_i
from kube_worlds import ADMIN, World, encode, kube_api

from keptn_doctor.lab.kube import User
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.kube_credentials import load_access
from keptn_doctor.targets import ClusterTarget

pytestmark = pytest.mark.asyncio


async def test_a_token_is_used(world: World) -> None:
    access = await load(world.kubeconfig(SERVER, {"token": ADMIN}))
    assert await who_am_i(access, world) == "admin"
    assert ADMIN not in repr(access)


async def test_a_token_file_is_relative_to_its_kubeconfig_and_loses_its_newline(
    world: World,
) -> None:
    (world.folder / "token").write_text(f"{ADMIN}\n")
    access = await load(world.kubeconfig(SERVER, {"tokenFile": "token"}))
    assert await who_am_i(access, world) == "admin"


async def test_a_token_file_goes_before_a_token(world: World) -> None:
    (world.folder / "token").write_text(ADMIN)
    access = await load(world.kubeconfig(SERVER, {"tokenFile": "token", "token": "old"}))
    assert await who_am_i(access, world) == "admin"


@pytest.mark.parametrize("as_files", [True, False])
async def test_a_client_certificate_is_used(world: World, *, as_files: bool) -> None:
    identity = world.authority.issue("jane", groups=("system:masters",))
    if as_files:
        (world.folder / "jane.pem").write_text(identity.certificate)
        (world.folder / "jane.key").write_text(identity.key)
        user = {"client-certificate": "jane.pem", "client-key": "jane.key"}
    else:
        user = {
            "client-certificate-data": encode(identity.certificate),
            "client-key-data": encode(identity.key),
        }
    access = await load(world.kubeconfig(SERVER, user))
    assert await who_am_i(access, world) == "jane"
    assert identity.key not in repr(access)


async def test_no_key_is_left_in_a_temporary_file(world: World, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(scratch)
    try:
        identity = world.authority.issue("jane", groups=("system:masters",))
        user = {
            "client-certificate-data": encode(identity.certificate),
            "client-key-data": encode(identity.key),
        }
        access = await load(world.kubeconfig(SERVER, user))
        assert await who_am_i(access, world) == "jane"
    finally:
        tempfile.tempdir = before
    assert list(scratch.iterdir()) == []


async def test_an_expired_client_certificate_is_recognised_before_dialling(world: World) -> None:
    identity = world.authority.issue("jane", days=-1)
    user = {
        "client-certificate-data": encode(identity.certificate),
        "client-key-data": encode(identity.key),
    }
    failure = await refused(world.kubeconfig(SERVER, user))
    assert failure.code == "credentials-expired"
    assert 'user "test"' in failure.detail


async def test_certificate_and_key_that_do_not_fit_are_said(world: World) -> None:
    first, second = world.authority.issue("jane"), world.authority.issue("jane")
    user = {
        "client-certificate-data": encode(first.certificate),
        "client-key-data": encode(second.key),
    }
    access = await load(world.kubeconfig(SERVER, user))
    with pytest.raises(WorldFault) as caught:
        KubeClient(access)
    assert caught.value.failure.code == "credentials-unreadable"


async def test_a_token_that_has_expired_explains_a_401(world: World) -> None:
    token = jwt(datetime.now(UTC) - timedelta(hours=1))
    access = await load(world.kubeconfig(SERVER, {"token": token}))
    with pytest.raises(WorldFault) as caught:
        await who_am_i(access, world)
    assert caught.value.failure.code == "credentials-expired"
    assert token not in caught.value.failure.detail


async def test_impersonation_is_honoured(world: World) -> None:
    access = await load(
        world.kubeconfig(SERVER, {"token": ADMIN, "as": "jane", "as-groups": ["ops", "dev"]})
    )
    assert access.impersonate == (
        ("Impersonate-User", "jane"),
        ("Impersonate-Group", "ops"),
        ("Impersonate-Group", "dev"),
    )


async def test_a_user_with_password_is_used(world: World) -> None:
    access = await load(world.kubeconfig(SERVER, {"username": "jane", "password": "open-sesame"}))
    assert access.authorization is not None
    assert access.authorization.reveal() == f"Basic {encode('jane:open-sesame')}"


async def test_the_namespace_and_the_server_of_the_context_are_kept(world: World) -> None:
    access = await load(world.kubeconfig(f"{SERVER}/k8s/", {"token": "t"}, namespace="keptn"))
    assert (access.namespace, access.server) == ("keptn", f"{SERVER}/k8s")


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"auth-provider": {"name": "gcp"}}, "gke-gcloud-auth-plugin"),
        ({"auth-provider": {"name": "azure"}}, "kubelogin"),
        ({"auth-provider": {"name": "oidc", "config": {}}}, "no id-token"),
        ({"tokenFile": "nowhere"}, "nowhere cannot be read"),
        ({"token": "two words"}, "blank or control character"),
        ({"client-certificate": "nowhere.pem"}, "nowhere.pem cannot be read"),
        ({"client-key-data": "bm8="}, "lacks the client-certificate"),
        ({"client-certificate-data": "!!", "client-key-data": "bm8="}, "lacks the client-cert"),
        ({"client-certificate-data": "bm8=", "client-key-data": "bm8="}, "no certificate"),
        ({"exec": {"args": []}}, "no command"),
        ({"exec": {"command": "x", "args": [1]}}, "exec.args[0] must be text, not a number"),
    ],
)
async def test_unusable_credentials_are_named(
    world: World, user: dict[str, Any], words: str
) -> None:
    failure = await refused(world.kubeconfig(SERVER, user))
    assert failure.code == "credentials-unreadable"
    assert words in failure.detail


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        ({"server": ""}, "has no server"),
        ({"server": "https://[1]"}, "no http or https URL"),
        ({"server": "https://jane:open-sesame@192.0.2.1"}, "its server holds a user"),
        ({"extensions": 7}, "extensions must be a list, not a number"),
        ({"insecure-skip-tls-verify": True}, "both a certificate-authority and insecure"),
        ({"certificate-authority-data": "", "certificate-authority": "ca.x"}, "cannot be read"),
    ],
)
async def test_unusable_cluster_entries_are_named(
    world: World, cluster: dict[str, Any], words: str
) -> None:
    failure = await refused(world.kubeconfig(SERVER, {"token": "t"}, cluster=cluster))
    assert failure.code == "credentials-unreadable"
    assert words in failure.detail
    assert "sesame" not in failure.detail


@pytest.mark.parametrize("part", ["cluster", "user"])
async def test_a_context_that_points_nowhere_is_named(world: World, part: str) -> None:
    path = world.kubeconfig(SERVER, {"token": "t"})
    document = yaml.safe_load(path.read_text())
    document["contexts"][0]["context"][part] = "gone"
    path.write_text(yaml.safe_dump(document))
    failure = await refused(path)
    assert f'the {part} "gone", which is not there' in failure.detail


async def test_an_expired_oidc_token_says_how_to_get_another(world: World) -> None:
    token = jwt(datetime.now(UTC) - timedelta(hours=1))
    provider = {"name": "oidc", "config": {"id-token": token}}
    failure = await refused(world.kubeconfig(SERVER, {"auth-provider": provider}))
    assert failure.code == "credentials-expired"
    assert "kubectl" in failure.detail


async def test_a_valid_oidc_token_is_used(world: World) -> None:
    token = jwt(datetime.now(UTC) + timedelta(hours=1))
    provider = {"name": "oidc", "config": {"id-token": token}}
    access = await load(world.kubeconfig(SERVER, {"auth-provider": provider}))
    assert await who_am_i(access, world, members={token: User(name="oidc-user")}) == "oidc-user"


async def test_the_service_account_of_a_pod_is_used(world: World) -> None:
    folder = world.folder / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text(f"{ADMIN}\n")
    (folder / "ca.crt").write_text(world.authority.pem)
    (folder / "namespace").write_text("doctor\n")
    async with kube_api(world.tls()) as server:
        environ = {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(server.port),
        }
        access = await load_access(
            ClusterTarget(name="here", in_cluster=True),
            environ=environ,
            deadline_s=5,
            service_account=folder,
        )
        async with KubeClient(access) as kube:
            await kube.get("/version", dict)
        assert server.served[-1].user == "admin"
    assert access.namespace == "doctor"


async def test_no_service_account_is_said(world: World) -> None:
    with pytest.raises(WorldFault) as caught:
        await load_access(
            ClusterTarget(name="here", in_cluster=True),
            environ={"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"},
            deadline_s=5,
            service_account=world.folder / "none",
        )
    assert caught.value.failure.code == "credentials-unreadable"


EVERYTHING = {
    "tokenFile": "token",
    "username": "jane",
    "password": "open-sesame",
    "as": "joe",
    "as-uid": "7",
    "as-groups": ["ops"],
    "as-user-extra": {"reason": ["test"]},
    "client-certificate-data": "",
    "auth-provider": {},
    "exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "true",
        "args": ["a"],
        "env": [{"name": "A", "value": "b"}],
        "provideClusterInfo": True,
        "installHint": "none",
    },
}

CLUSTER = {
    "proxy-url": "http://192.0.2.9:3128",
    "tls-server-name": "x",
    "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"a": 1}}],
}

NONSENSE: tuple[Any, ...] = (None, 0, True, "", "x", [], {}, [1], {"a": 1}, [None], [{}])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [p for k, v in value.items() for p in places(v, (*path, k))]
    if isinstance(value, list):
        return found + [p for i, v in enumerate(value) for p in places(v, (*path, i))]
    return found


@pytest.mark.parametrize("dropped", [(), ("tokenFile", "username")])
async def test_nonsense_anywhere_in_a_kubeconfig_is_never_a_crash(
    world: World, dropped: tuple[str, ...]
) -> None:
    (world.folder / "token").write_text("t")
    user = {key: value for key, value in EVERYTHING.items() if key not in dropped}
    path = world.kubeconfig(SERVER, user, cluster=CLUSTER, namespace="n")
    original = path.read_text()
    crashes = []
    for place in places(yaml.safe_load(original)):
        for value in NONSENSE:
            document = yaml.safe_load(original)
            target = document
            for step in place[:-1]:
                target = target[step]
            target[place[-1]] = value
            path.write_text(yaml.safe_dump(document))
            try:
                await load(path)
            except WorldFault:
                continue
            except Exception as error:  # noqa: BLE001 - it is what is looked for
                crashes.append((place, value, repr(error)))
    assert crashes == []
