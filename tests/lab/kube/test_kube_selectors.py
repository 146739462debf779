"""Selectors, paging and resource versions of lists."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kube_lab import PODS, ClientFor, StartServer, running_pod, users

from keptn_doctor.lab.kube import Cluster
from keptn_doctor.lab.kube.selectors import labels_match, parse_labels
from keptn_doctor.lab.kube.status import ApiError

LABELS = {"app": "helm-service", "tier": "", "size": "7", "example.com/role": "exec"}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True),
        ("app=helm-service", True),
        ("app==helm-service", True),
        ("app = helm-service , size", True),
        ("app!=helm-service", False),
        ("nope!=x", True),
        ("app in (helm-service, other)", True),
        ("app notin (helm-service)", False),
        ("nope notin (x)", True),
        ("app", True),
        ("!app", False),
        ("!nope,app", True),
        ("tier=", True),
        ("tier in (,a)", True),
        ("size>6", True),
        ("size<7", False),
        ("app>6", False),
        ("example.com/role in (exec),size=7", True),
    ],
)
def test_a_label_selector_means_what_kubernetes_says(*, selector: str, matches: bool) -> None:
    obj: dict[str, Any] = {"metadata": {"labels": LABELS}}
    assert labels_match(parse_labels(selector), obj) is matches


@pytest.mark.parametrize(
    ("selector", "complaint"),
    [
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a b", "found 'b', expected: !=, <, =, ==, >, in, notin"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a in b", "found 'b' expected: '('"),
        ("a in (b", "found '', expected: ',' or ')'"),
        ("a=(", "found '(', expected: identifier"),
        ("a in (=)", "found '=', expected: ',', ')' or identifier"),
        ("a in ()", "values set can't be empty"),
        ("!", "found '', expected: identifier"),
        ("a*b=c", "name part must consist of alphanumeric characters"),
    ],
)
def test_a_malformed_selector_is_refused_with_the_real_words(selector: str, complaint: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_labels(selector)
    assert caught.value.code == 400
    assert complaint in caught.value.message


@given(st.text(alphabet="ab=!,()<> in.-", max_size=20))
def test_no_selector_text_breaks_the_parser(text: str) -> None:
    with contextlib.suppress(ApiError):
        parse_labels(text)


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_pages_give_every_object_once_and_in_order(
    size: int, start: StartServer, client_for: ClientFor
) -> None:
    names = ["a", "a-b", "b", "c", "d"]
    server = await start(Cluster("1.24", [running_pod(name) for name in names], users()))
    found, token, pages = [], "", 0
    async with client_for(server) as client:
        while pages < 10:
            query = {"limit": str(size), **({"continue": token} if token else {})}
            body = (await client.get(PODS, params=query)).json()
            found += [item["metadata"]["name"] for item in body["items"]]
            pages += 1
            token = body["metadata"].get("continue", "")
            if not token:
                break
    assert found == names
    assert pages == -(-len(names) // size)


@pytest.mark.asyncio
async def test_a_page_of_a_selection_does_not_count_what_remains(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [running_pod("a"), running_pod("b")], users()))
    async with client_for(server) as client:
        body = (await client.get(f"{PODS}?limit=1&labelSelector=app")).json()
    assert "continue" in body["metadata"]
    assert "remainingItemCount" not in body["metadata"]


@pytest.mark.asyncio
async def test_a_continue_token_expires_with_the_history(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [running_pod("a"), running_pod("b")], users()))
    async with client_for(server) as client:
        token = (await client.get(f"{PODS}?limit=1")).json()["metadata"]["continue"]
        server.cluster.add(running_pod("c"))
        server.cluster.compact()
        answer = await client.get(f"{PODS}?limit=1&continue={token}")
    assert answer.status_code == 410
    assert answer.json()["reason"] == "Expired"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("continue=x&resourceVersion=5", 400, "not allowed when using continue"),
        ("resourceVersionMatch=Exact", 422, "unless resourceVersion is provided"),
        ("sendInitialEvents=true", 422, "sendInitialEvents is forbidden for list"),
        ("fieldSelector=spec.nodeName", 400, "can't understand 'spec.nodeName'"),
        ("limit=-", 400, "strconv.ParseInt"),
        ("continue=%21%21", 400, "illegal base64 data"),
    ],
)
async def test_contradictory_list_options_are_refused(
    query: str, status: int, words: str, start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.30", [running_pod()], users()))
    async with client_for(server) as client:
        answer = await client.get(f"{PODS}?{query}")
    assert answer.status_code == status
    assert words in answer.json()["message"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("metadata.name=a", 1),
        ("metadata.name!=a", 1),
        ("status.phase=Running,spec.nodeName=node-1", 2),
        ("status.podIP=10.9.9.9", 0),
        ("metadata.namespace=keptn-exec", 2),
    ],
)
async def test_field_selectors_compare_fields(
    selector: str, count: int, start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [running_pod("a"), running_pod("b")], users()))
    async with client_for(server) as client:
        body = (await client.get(PODS, params={"fieldSelector": selector})).json()
    assert len(body["items"]) == count
