"""Credential plugins: what they may give, and how they fail."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from credentials import SERVER, jwt, load, refused, who_am_i
from kube_worlds import ADMIN, World

pytestmark = pytest.mark.asyncio


def plugin(world: World, body: str, **settings: Any) -> dict[str, Any]:
    """A kubeconfig user whose credentials come from a Python script."""
    script = world.folder / "plugin.py"
    script.write_text(body)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(script)],
            **settings,
        }
    }


def says(status: dict[str, Any], api: str = "client.authentication.k8s.io/v1") -> str:
    credential = {"apiVersion": api, "kind": "ExecCredential", "status": status}
    return f"print({json.dumps(json.dumps(credential))})"


async def test_a_plugin_gives_a_token(world: World) -> None:
    access = await load(world.kubeconfig(SERVER, plugin(world, says({"token": f"{ADMIN}\n"}))))
    assert await who_am_i(access, world) == "admin"


async def test_a_plugin_gives_a_certificate(world: World) -> None:
    identity = world.authority.issue("jane", groups=("system:masters",))
    status = {
        "clientCertificateData": identity.certificate,
        "clientKeyData": identity.key,
    }
    access = await load(world.kubeconfig(SERVER, plugin(world, says(status))))
    assert await who_am_i(access, world) == "jane"


async def test_a_plugin_is_told_the_cluster_when_it_asks(world: World) -> None:
    body = (
        "import json, os\n"
        "cluster = json.loads(os.environ['KUBERNETES_EXEC_INFO'])['spec']['cluster']\n"
        "seen = '|'.join((cluster['server'], cluster['config']['audience'],"
        " os.environ['EXTRA'], str('certificate-authority-data' in cluster)))\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1',"
        " 'kind': 'ExecCredential', 'status': {'token': seen}}))\n"
    )
    extension = {
        "name": "client.authentication.k8s.io/exec",
        "extension": {"audience": "blue"},
    }
    user = plugin(
        world, body, provideClusterInfo=True, env=[{"name": "EXTRA", "value": "from-env"}]
    )
    access = await load(world.kubeconfig(SERVER, user, cluster={"extensions": [extension]}))
    assert access.authorization is not None
    assert access.authorization.reveal() == f"Bearer {SERVER}|blue|from-env|True"


async def test_a_failing_plugin_is_an_error_and_its_stderr_is_shown(world: World) -> None:
    body = "import sys; print('SSO session has ended', file=sys.stderr); sys.exit(7)"
    failure = await refused(world.kubeconfig(SERVER, plugin(world, body)))
    assert failure.code == "credential-plugin-failed"
    assert "exited with 7; it said: SSO session has ended" in failure.detail


async def test_a_secret_in_stderr_is_hidden(world: World) -> None:
    secret = jwt(datetime.now(UTC))
    body = f"import sys; print('refresh {secret} failed', file=sys.stderr); sys.exit(1)"
    failure = await refused(world.kubeconfig(SERVER, plugin(world, body)))
    assert secret not in failure.detail
    assert "refresh" in failure.detail


async def test_a_long_stderr_is_cut(world: World) -> None:
    body = "import sys; sys.stderr.write('no ' * 500_000); sys.exit(1)"
    failure = await refused(world.kubeconfig(SERVER, plugin(world, body)))
    assert len(failure.detail) < 600


async def test_a_missing_plugin_is_named_with_its_hint(world: World) -> None:
    user = plugin(world, "", installHint="Install it from the shelf.")
    user["exec"]["command"] = "no-such-credential-plugin"
    failure = await refused(world.kubeconfig(SERVER, user))
    assert failure.code == "credential-plugin-missing"
    assert "no-such-credential-plugin was not found; Install it from the shelf." in failure.detail


async def test_a_plugin_beside_the_kubeconfig_is_found(world: World) -> None:
    user = plugin(world, says({"token": ADMIN}))
    script = world.folder / "plugin.py"
    script.write_text(f"#!{sys.executable}\n{script.read_text()}")
    script.chmod(0o700)
    user["exec"] |= {"command": "./plugin.py", "args": []}
    access = await load(world.kubeconfig(SERVER, user))
    assert await who_am_i(access, world) == "admin"


async def test_a_hanging_plugin_is_stopped_with_its_children(world: World) -> None:
    held = world.folder / "held-open-by-the-child"
    os.mkfifo(held)
    end = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    script = f"sleep 600 9>{held} & echo waiting for the browser >&2; wait"
    user = plugin(world, "", command="/bin/sh", args=["-c", script])
    failure = await refused(world.kubeconfig(SERVER, user), deadline_s=2.0)
    assert failure.code == "credential-plugin-timeout"
    assert "did not finish in 2 s; it said: waiting for the browser" in failure.detail
    os.set_blocking(end, True)
    async with asyncio.timeout(10):
        assert await asyncio.to_thread(os.read, end, 1) == b""  # nobody holds it any more
    os.close(end)


async def test_what_a_plugin_leaves_running_is_left_alone(world: World) -> None:
    pid_file = world.folder / "agent"
    body = (
        "import subprocess, sys\n"
        f"agent = subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(600)'],"
        " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        f"open({str(pid_file)!r}, 'w').write(str(agent.pid))\n" + says({"token": ADMIN})
    )
    await load(world.kubeconfig(SERVER, plugin(world, body)))
    agent = int(pid_file.read_text())
    try:
        assert _runs(agent)
    finally:
        os.kill(agent, signal.SIGKILL)


def _runs(pid: int) -> bool:
    """Whether it lives; nobody may have collected a process that was killed."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "printed nothing"),
        ("print('hello')", "not JSON"),
        ("print('[1]')", "no ExecCredential"),
        (says({}), "neither a token nor a certificate"),
        (says({"token": "t"}, api="client.authentication.k8s.io/v1beta1"), "did not print"),
        (says({"clientCertificateData": "x"}), "without its key"),
        (says({"token": "t", "expirationTimestamp": "soon"}), "no ExecCredential"),
    ],
)
async def test_nonsense_from_a_plugin_is_an_error(world: World, body: str, words: str) -> None:
    failure = await refused(world.kubeconfig(SERVER, plugin(world, body)))
    assert failure.code == "credential-plugin-failed"
    assert words in failure.detail


async def test_credentials_that_a_plugin_gives_too_late_are_expired(world: World) -> None:
    status = {"token": "t", "expirationTimestamp": "2020-01-01T00:00:00Z"}
    failure = await refused(world.kubeconfig(SERVER, plugin(world, says(status))))
    assert failure.code == "credentials-expired"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "supported are"),
        ({"interactiveMode": "Always"}, "insists on a terminal"),
    ],
)
async def test_a_plugin_that_cannot_be_run_says_why(
    world: World, settings: dict[str, Any], words: str
) -> None:
    failure = await refused(world.kubeconfig(SERVER, plugin(world, says({}), **settings)))
    assert failure.code == "credential-plugin-failed"
    assert words in failure.detail
