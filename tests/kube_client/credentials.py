"""Loads the credentials of a kubeconfig and asks the cluster who they make one."""

from __future__ import annotations

import base64
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from kube_worlds import World, kube_api

from keptn_doctor.model.failure import Failure
from keptn_doctor.network_settings import Deadlines
from keptn_doctor.probes.failures import WorldFault
from keptn_doctor.probes.kube_access import ClusterAccess
from keptn_doctor.probes.kube_client import KubeClient
from keptn_doctor.probes.kube_credentials import load_access
from keptn_doctor.targets import ClusterTarget

SERVER = "https://192.0.2.1:6443"  # never dialled

ENVIRONMENT = {"PATH": os.environ["PATH"]}


async def load(path: Path, *, deadline_s: float = 30.0, **environ: str) -> ClusterAccess:
    target = ClusterTarget(name="test", context="test", kubeconfig=str(path))
    return await load_access(target, environ=ENVIRONMENT | environ, deadline_s=deadline_s)


async def refused(path: Path, *, deadline_s: float = 30.0) -> Failure:
    with pytest.raises(WorldFault) as caught:
        await load(path, deadline_s=deadline_s)
    assert caught.value.failure.phase == "auth"
    return caught.value.failure


async def who_am_i(access: ClusterAccess, world: World, **served: Any) -> str:
    """The user that the API server takes these credentials for."""
    async with kube_api(world.tls(), **served) as server:
        there = ClusterAccess(**{f: getattr(access, f) for f in access.__struct_fields__})
        changed = {f: getattr(there, f) for f in there.__struct_fields__} | {"server": server.url}
        async with KubeClient(ClusterAccess(**changed), deadlines=Deadlines(kube_s=30)) as kube:
            await kube.get("/version", dict)
        return server.served[-1].user


def jwt(expires: datetime) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"sub": "tester", "exp": int(expires.timestamp())}
    return f"{part({'alg': 'none'})}.{part(claims)}.signature"
