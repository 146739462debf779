"""The server held against answers recorded from real API servers, 1.20 and 1.36.

Every recorded request is made again, in order, on a cluster seeded through the API with the same
objects; status, headers and body must be equal after masking what varies from run to run. What is
not matched stands in ``EXCEPTIONS`` with its reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from kube_lab import ADMIN, NOW, READER, ClientFor, StartServer

from keptn_doctor.lab.kube import Cluster, User

GOLDEN = Path(__file__).parent / "golden"
GENERATIONS = ("1.20", "1.36")
HEADERS = ("Cache-Control", "Content-Type", "X-Content-Type-Options", "Warning", "Retry-After")
TOKENS = {"admin (": ADMIN, "reader (": READER, "an unknown token": "nobody-knows-this"}

EXCEPTIONS = {
    "pod proxy unreachable": (
        "the recording machine's own network policy answered (resolve_deny); a real cluster, and "
        "the lab, answer 503 when nothing listens on the pod's address"
    ),
}
# Values that vary from run to run, from build to build or by the order of a Go map; their presence
# and their type are compared.
MASKED = {
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "continue",
    "clusterIP",
    "clusterIPs",
    "nodePort",
    "serverAddress",
    "major",
    "minor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
}
UNORDERED = {"nonResourceRules", "resourceRules"}


def recorded(generation: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((GOLDEN / f"answers-{generation}.json").read_text())
    return loaded


def named(generation: str, name: str) -> dict[str, Any]:
    answers = recorded(generation)["answers"]
    return next(a for a in answers if a["name"] == name)


async def seed(client: httpx.AsyncClient, generation: str) -> None:
    """Create the seed objects and give nodes and one pod the status they had when recorded."""
    for item in recorded(generation)["seed"]:
        answer = await client.post(item["path"], json=item["object"])
        assert answer.status_code == 201, answer.text
    nodes = named(generation, "nodes")["answer"]["body"]["items"]
    pod = named(generation, "get pod")["answer"]["body"]
    paths = [(f"/api/v1/nodes/{n['metadata']['name']}", n) for n in nodes]
    paths.append(("/api/v1/namespaces/keptn-exec/pods/helm-service-0", pod))
    for path, wanted in paths:
        current = (await client.get(path)).json()
        current["status"] = wanted["status"]
        answer = await client.put(f"{path}/status", json=current)
        assert answer.status_code == 200, answer.text


def masked(value: Any, field: str = "") -> Any:
    if isinstance(value, dict):
        return {key: masked(item, key) for key, item in value.items()}
    if isinstance(value, list):
        items = [masked(item, field) for item in value]
        return sorted(items, key=str) if field in UNORDERED else items
    if field in MASKED:
        return f"<{type(value).__name__}>"
    if field == "message":
        return re.sub(r"current: \d+", "current: <int>", value)
    return value


def compare_bodies(expected: Any, got: Any) -> None:
    expected, got = masked(expected), masked(got)
    if isinstance(expected, dict) and isinstance(expected.get("items"), list):
        rest = expected["items"][1:]
        for index, item in enumerate(rest, start=1):
            if set(item) == {"metadata"}:  # kept by name only
                got["items"][index] = {
                    "metadata": {"name": got["items"][index]["metadata"]["name"]}
                }
    if isinstance(expected, dict) and expected.get("kind") == "Table":
        for table in (expected, got):
            for row in table["rows"]:
                row["cells"] = [re.sub(r"\d+[smh]", "<age>", str(cell)) for cell in row["cells"]]
            for column in table["columnDefinitions"]:
                column["description"] = "<str>"  # prose of Go comments, for kubectl explain
    assert got == expected


async def replay(
    client: httpx.AsyncClient, request: dict[str, Any], first_page: str
) -> httpx.Response:
    path = request["path"].replace("<continue of the first page>", first_page)
    user = request.get("user") or "admin ("
    token = next((t for prefix, t in TOKENS.items() if user.startswith(prefix)), None)
    headers = dict(request.get("headers") or {})
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    body = request.get("body")
    if body is None:
        return await client.request(request["method"], path, headers=headers)
    raw = body if isinstance(body, str) else json.dumps(body)
    headers.setdefault("Content-Type", "application/json")
    return await client.request(request["method"], path, headers=headers, content=raw)


@pytest.mark.asyncio
@pytest.mark.parametrize("generation", GENERATIONS)
async def test_every_recorded_request_is_answered_as_the_real_server_did(
    generation: str,
    start: StartServer,
    client_for: ClientFor,
) -> None:
    users = {ADMIN: User(name="admin", groups=("system:masters",)), READER: User(name="reader")}
    server = await start(Cluster(generation, users=users, now=lambda: NOW))
    differences = []
    answers = recorded(generation)["answers"]
    async with client_for(server) as admin, client_for(server, None) as client:
        await seed(admin, generation)
        first = await admin.get("/api/v1/namespaces/keptn-exec/pods?limit=2")
        for answer in answers:
            if answer["name"] in EXCEPTIONS:
                continue
            got = await replay(client, answer["request"], first.json()["metadata"]["continue"])
            differences += list(difference(answer, got))
    assert not differences, "\n\n".join(differences)


def difference(answer: dict[str, Any], got: httpx.Response) -> Iterator[str]:
    expected, name = answer["answer"], answer["name"]
    if got.status_code != expected["status"]:
        yield f"{name}: {got.status_code} instead of {expected['status']}: {got.text[:300]}"
        return
    for header in HEADERS:
        wanted = expected.get("headers", {}).get(header)
        if "headers" in expected and got.headers.get(header) != wanted:
            yield f"{name}: {header} is {got.headers.get(header)!r} instead of {wanted!r}"
    if "names" in expected:
        items = [item["metadata"]["name"] for item in got.json()["items"]]
        if items != expected["names"]:
            yield f"{name}: the page holds {items}"
        expected_body, body = expected["metadata"], got.json()["metadata"]
    else:
        expected_body = expected["body"]
        body = got.text if isinstance(expected_body, str) else got.json()
    try:
        compare_bodies(expected_body, body)
    except AssertionError as error:
        yield f"{name}: {error}"


@pytest.mark.parametrize("generation", GENERATIONS)
def test_all_recorded_requests_are_there_and_exceptions_are_among_them(generation: str) -> None:
    names = [answer["name"] for answer in recorded(generation)["answers"]]
    assert len(names) == 76
    assert set(EXCEPTIONS) <= set(names)
