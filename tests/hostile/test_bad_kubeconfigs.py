"""Kubeconfigs that read well and lead nowhere: told in words, never a crash, no secret shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from honesty import TOKEN, assert_honest, looked_at

from keptn_doctor.model.failure import Failure
from keptn_doctor.targets import ClusterTarget, Targets

pytestmark = pytest.mark.asyncio

SERVER = "http://127.0.0.1:1"
PLUGIN = {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}


def shell(script: str) -> dict[str, Any]:
    return {"exec": {**PLUGIN, "command": "/bin/sh", "args": ["-c", script]}}


CLUSTERS: dict[str, tuple[dict[str, Any], str]] = {
    "no server": ({}, "has no server"),
    "no URL": ({"server": "https://[::1"}, "is no http or https URL"),
    "control characters": ({"server": "https://x\x1b[31m"}, "is no http or https URL"),
    "an empty label": ({"server": "https://."}, "is no http or https URL"),
    "a long label": ({"server": f"https://{'a' * 300}.example"}, "is no http or https URL"),
    "a password": ({"server": f"https://jane:{TOKEN}@x"}, "holds a user"),
    "a long peer name": (
        {"server": SERVER, "tls-server-name": "a" * 300}, "tls-server-name is no host name",
    ),
    "a dead proxy": (
        {"server": SERVER, "proxy-url": f"http://jane:{TOKEN.replace('/', '')}@127.0.0.1:1"},
        "the proxy on the way to Kubernetes API",
    ),
}  # fmt: skip
USERS: dict[str, tuple[dict[str, Any], str]] = {
    "a number for a token": ({"token": 5}, "token must be text, not a number"),
    "a torn token": ({"token": f"a\n{TOKEN}"}, "its token holds a blank"),
    "exit 7 and a token told": (
        shell(f'echo "bad \\"token\\": \\"{TOKEN}\\"" >&2; exit 7'), "exited with 7",
    ),
    "missing": ({"exec": {**PLUGIN, "command": "keptn-no-such"}}, "was not found"),
    "hanging": (shell("exec sleep 60"), "did not finish in 1.5 s"),
    "garbage": (shell(r"printf '\001\377'"), "printed something that is not JSON"),
    "nothing": (shell("true"), "printed nothing"),
    "a NUL": ({"exec": {**PLUGIN, "command": "echo", "args": ["a\0b"]}}, "NUL"),
    "a token that is two": (
        shell(
            'printf %s \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
            '"status":{"token":"a\\nb"}}\''
        ),
        "gave a token that holds a blank",
    ),
}  # fmt: skip


def targets(folder: Path, cluster: dict[str, Any], user: dict[str, Any]) -> Targets:
    config = folder / "kubeconfig"
    document = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    config.write_text(yaml.safe_dump(document))
    return Targets(
        execution_planes=(ClusterTarget(name="exec", context="x", kubeconfig=str(config)),)
    )


async def told(folder: Path, cluster: dict[str, Any], user: dict[str, Any]) -> str:
    snapshot = await looked_at(targets(folder, cluster, user))
    assert assert_honest(snapshot).exit_code == 3
    return "\n".join(o.result.detail for o in snapshot.observations
                     if isinstance(o.result, Failure))  # fmt: skip


@pytest.mark.parametrize("name", CLUSTERS)
async def test_a_bad_cluster_entry(name: str, tmp_path: Path) -> None:
    entry, words = CLUSTERS[name]
    assert words in await told(tmp_path, entry, {"token": TOKEN})


@pytest.mark.parametrize("name", USERS)
async def test_a_bad_user_entry(name: str, tmp_path: Path) -> None:
    entry, words = USERS[name]
    assert words in await told(tmp_path, {"server": SERVER}, entry)
