"""Asking a simulated Keptn for projects, events and sequences, as somebody outside does."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
from sim_worlds import ask, client

from keptn_doctor.lab.settings import ClientSettings, DeliverySettings
from keptn_doctor.lab.simulation import Simulation

CONTROL = "/api/controlPlane/v1"
PROJECT = "round-trip"
QUICK = DeliverySettings(dispatch_every_s=0.01, poll_every_s=0.01)
PATIENCE_S = 5.0


def shipyard(*tasks: str, sequence: str = "try", stage: str = "dev") -> str:
    rows = "".join(f"            - name: {task}\n" for task in tasks)
    return (
        "apiVersion: spec.keptn.sh/0.2.2\nkind: Shipyard\nmetadata: {name: s}\nspec:\n"
        f"  stages:\n    - name: {stage}\n      sequences:\n        - name: {sequence}\n"
        f"          tasks:\n{rows}"
    )


def git(version: str) -> dict[str, Any]:
    """What names an upstream, where the version wants one."""
    parts = tuple(map(int, version.split(".")))
    if parts < (0, 16, 0):
        return {}
    url = "https://git.example.com/round-trip.git"
    if parts < (0, 17, 0):
        return {"gitRemoteURL": url, "gitUser": "u", "gitToken": "t"}
    return {"gitCredentials": {"remoteURL": url, "user": "u", "https": {"token": "t"}}}


def quick(**more: Any) -> DeliverySettings:
    return msgspec.structs.replace(QUICK, **more)


def service(version: str, **more: Any) -> ClientSettings:
    """A service of its own kind that is subscribed to ``test``."""
    env = {"PUBSUB_TOPIC": "sh.keptn.event.test.triggered", **more.pop("env", {})}
    return client(version, name=more.pop("name", "my-service"), env=env, **more)


async def make(
    lab: Simulation, version: str, *, text: str = "", name: str = PROJECT, **more: Any
) -> httpx.Response:
    """Make a project; ``more`` goes into the request."""
    encoded = base64.b64encode((text or shipyard("test")).encode()).decode()
    body = {"name": name, "shipyard": encoded, **git(version), **more}
    return await post(lab, f"{CONTROL}/project", body)


async def post(lab: Simulation, path: str, body: object, **more: Any) -> httpx.Response:
    return await ask(lab, path, method="POST", content=json.dumps(body).encode(), **more)


async def trigger(
    lab: Simulation, *, sequence: str = "try", stage: str = "dev", project: str = PROJECT,
    **data: Any,
) -> str:  # fmt: skip
    """Ask for a sequence; the Keptn context."""
    answer = await post(
        lab,
        "/api/v1/event",
        {
            "type": f"sh.keptn.event.{stage}.{sequence}.triggered",
            "source": "test",
            "data": {"project": project, "stage": stage, "service": "svc", **data},
        },
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["keptnContext"])


async def stored(lab: Simulation, context: str) -> list[dict[str, Any]]:
    """The events of a context, oldest first."""
    path = f"/api/mongodb-datastore/event?keptnContext={context}&pageSize=100"
    found = (await ask(lab, path)).json()["events"]
    return list(reversed(found))


async def sequence(lab: Simulation, context: str, *, project: str = PROJECT) -> dict[str, Any]:
    """The state entry of a context; {} for none."""
    path = f"{CONTROL}/sequence/{project}?keptnContext={context}"
    states = (await ask(lab, path)).json()["states"]
    return states[0] if states else {}


async def opened(lab: Simulation, task: str = "test") -> list[dict[str, Any]]:
    path = f"{CONTROL}/event/triggered/sh.keptn.event.{task}.triggered"
    return (await ask(lab, path)).json()["events"]


async def until(
    look: Callable[[], Awaitable[Any]],
    good: Callable[[Any], bool],
    *,
    patience_s: float = PATIENCE_S,
) -> Any:
    """Look until it is good; what was seen last when it never is."""
    seen = await look()
    try:
        async with asyncio.timeout(patience_s):
            while not good(seen):
                await asyncio.sleep(0.01)
                seen = await look()
    except TimeoutError:
        pass
    return seen


async def finished(lab: Simulation, context: str, *, sequence: str = "try") -> list[dict[str, Any]]:
    """The events of a context once its sequence is over."""
    return await until(
        lambda: stored(lab, context),
        lambda found: any(e["type"].endswith(f".{sequence}.finished") for e in found),
    )


def told(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Type, without what is common to all, and source."""
    return [(e["type"].removeprefix("sh.keptn.event."), e["source"]) for e in events]
