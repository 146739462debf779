"""Who gets in and what they may do: tokens, certificates, RBAC objects, reviews."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from kube_lab import ADMIN, NOW, PODS, READER, Authority, ClientFor, StartServer, running_pod, users

from keptn_doctor.lab.kube import Cluster, Rule, User, service_account

RBAC = "rbac.authorization.k8s.io"
SSAR = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def role(name: str, rules: list[dict[str, Any]], namespace: str = "") -> dict[str, Any]:
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    kind = "Role" if namespace else "ClusterRole"
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": meta, "rules": rules}


def binding(name: str, about: str, subject: dict[str, str], namespace: str = "") -> dict[str, Any]:
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    kind, _, bound = about.partition("/")
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": meta,
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": bound},
        "subjects": [subject],
    }


def rule(resources: list[str], verbs: list[str], **more: Any) -> dict[str, Any]:
    return {"apiGroups": [""], "resources": resources, "verbs": verbs, **more}


@pytest.mark.asyncio
async def test_an_expired_token_is_unauthorized(start: StartServer, client_for: ClientFor) -> None:
    found = {ADMIN: User(name="admin", groups=("system:masters",), expires=NOW)}
    server = await start(Cluster("1.24", users=found, now=lambda: NOW))
    async with client_for(server) as client:
        assert (await client.get("/api/v1/pods")).status_code == 401
    server.cluster.now = lambda: NOW - timedelta(seconds=1)
    async with client_for(server) as client:
        assert (await client.get("/api/v1/pods")).status_code == 200


@pytest.mark.asyncio
async def test_anonymous_requests_can_be_switched_off(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", users=users(), anonymous=False))
    async with client_for(server, None) as client:
        assert (await client.get("/version")).status_code == 401


@pytest.mark.asyncio
async def test_another_scheme_than_bearer_is_anonymous(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", users=users()))
    async with client_for(server, None) as client:
        answer = await client.get("/api", headers={"Authorization": "Basic YTpi"})
    assert answer.status_code == 403
    assert answer.json()["message"] == ('forbidden: User "system:anonymous" cannot get path "/api"')


@pytest.mark.asyncio
async def test_a_client_certificate_is_a_user_with_groups(
    start: StartServer, client_for: ClientFor, authority: Authority
) -> None:
    subject = {"kind": "Group", "name": "operators", "apiGroup": RBAC}
    objects = [
        role("read-pods", [rule(["pods"], ["list"])]),
        binding("read-pods", "ClusterRole/read-pods", subject),
    ]
    server = await start(Cluster("1.24", objects, now=lambda: NOW))
    pair = authority.client("jane", "operators", until=NOW + timedelta(days=30))
    async with client_for(server, None, certificate=pair) as client:
        assert (await client.get("/api/v1/pods")).status_code == 200
        refused = await client.get("/api/v1/nodes")
    assert 'User "jane" cannot list resource "nodes"' in refused.json()["message"]


@pytest.mark.asyncio
async def test_an_expired_client_certificate_is_unauthorized_and_no_tls_alert(
    start: StartServer, client_for: ClientFor, authority: Authority
) -> None:
    server = await start(Cluster("1.24", now=lambda: NOW))
    pair = authority.client("late", "system:masters", until=NOW - timedelta(days=1))
    async with client_for(server, None, certificate=pair) as client:
        assert (await client.get("/version")).status_code == 401


@pytest.mark.asyncio
async def test_the_token_counts_before_the_certificate(
    start: StartServer, client_for: ClientFor, authority: Authority
) -> None:
    server = await start(Cluster("1.24", users=users(), now=lambda: NOW))
    pair = authority.client("boss", "system:masters", until=NOW + timedelta(days=1))
    async with client_for(server, READER, certificate=pair) as client:
        assert (await client.get("/api/v1/nodes")).status_code == 403


@pytest.mark.asyncio
async def test_rules_hold_in_their_namespaces_only(
    start: StartServer, client_for: ClientFor
) -> None:
    server = await start(Cluster("1.24", [running_pod()], users()))
    async with client_for(server, READER) as client:
        assert (await client.get(PODS)).status_code == 200
        assert (await client.get(f"{PODS}?watch=true&timeoutSeconds=1")).status_code == 403
        assert (await client.get("/api/v1/namespaces/other/pods")).status_code == 403


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/namespaces/keptn/secrets/keptn-api-token", 200),
        ("/api/v1/namespaces/keptn/secrets/other", 403),
        ("/api/v1/namespaces/keptn/secrets", 403),
        ("/api/v1/namespaces/keptn/secrets?fieldSelector=metadata.name%3Dkeptn-api-token", 200),
        ("/api/v1/namespaces/keptn/pods/a/log", 200),
        ("/api/v1/namespaces/keptn/pods/a", 403),
        ("/api/v1/namespaces/keptn/services", 403),
    ],
)
async def test_names_and_subresources_narrow_a_rule(
    path: str, status: int, start: StartServer, client_for: ClientFor
) -> None:
    pod = running_pod("a")
    pod["metadata"]["namespace"] = "keptn"
    del pod["spec"]["nodeName"]  # its log is then empty, whatever lies behind
    secret = {"kind": "Secret", "metadata": {"name": "keptn-api-token", "namespace": "keptn"}}
    rules = [
        rule(["secrets"], ["get", "list"], resourceNames=["keptn-api-token"]),
        rule(["pods/log"], ["get"]),
    ]
    subject = {"kind": "ServiceAccount", "name": "doctor", "namespace": "tools"}
    objects = [
        pod,
        {"apiVersion": "v1", **secret},
        role("doctor", rules),
        binding("doctor", "ClusterRole/doctor", subject, "keptn"),
    ]
    server = await start(Cluster("1.24", objects, {"t": service_account("tools", "doctor")}))
    async with client_for(server, "t") as client:
        answer = await client.get(path)
    assert answer.status_code in ({200, 204} if status == 200 else {status})


@pytest.mark.asyncio
async def test_a_binding_without_its_role_gives_nothing(
    start: StartServer, client_for: ClientFor
) -> None:
    subject = {"kind": "User", "name": "reader"}
    objects = [binding("lost", "ClusterRole/never-made", subject)]
    server = await start(Cluster("1.24", objects, {READER: User(name="reader")}))
    async with client_for(server, READER) as client:
        assert (await client.get("/api/v1/pods")).status_code == 403


@pytest.mark.asyncio
async def test_without_its_binding_the_version_is_no_longer_public(
    start: StartServer, client_for: ClientFor
) -> None:
    cluster = Cluster("1.24", users=users())
    assert cluster.remove("clusterrolebindings", "system:public-info-viewer")
    server = await start(cluster)
    async with client_for(server, None) as client:
        assert (await client.get("/version")).status_code == 403


async def _may(client: httpx.AsyncClient, **attributes: str) -> dict[str, Any]:
    body = {"spec": {"resourceAttributes": attributes}}
    status: dict[str, Any] = (await client.post(SSAR, json=body)).json()["status"]
    return status


@pytest.mark.asyncio
async def test_the_review_and_the_request_agree(start: StartServer, client_for: ClientFor) -> None:
    one = Rule(api_groups=("apps",), resources=("deployments",), verbs=("get",))
    server = await start(Cluster("1.24", users={READER: User(name="reader", rules=(one,))}))
    async with client_for(server, READER) as client:
        for verb, allowed in (("get", True), ("delete", False)):
            decision = await _may(client, verb=verb, group="apps", resource="deployments", name="x")
            assert decision["allowed"] is allowed
        path = "/apis/apps/v1/namespaces/a/deployments/x"
        assert (await client.get(path)).status_code == 404
        assert (await client.delete(path)).status_code == 403
        body = {"spec": {"nonResourceAttributes": {"path": "/version", "verb": "get"}}}
        assert (await client.post(SSAR, json=body)).json()["status"]["allowed"] is True


@pytest.mark.asyncio
async def test_a_review_may_come_as_protobuf(start: StartServer, client_for: ClientFor) -> None:
    def field(number: int, payload: bytes) -> bytes:
        return bytes([number << 3 | 2, len(payload)]) + payload

    attributes = field(1, b"keptn-exec") + field(2, b"list") + field(5, b"pods")
    message = field(1, b"") + field(2, field(1, attributes))
    body = b"k8s\0" + field(2, message)
    server = await start(Cluster("1.24", users=users()))
    headers = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    async with client_for(server, READER) as client:
        answer = await client.post(SSAR, content=body, headers=headers)
        broken = await client.post(SSAR, content=b"k8s\0\xff\xff", headers=headers)
    assert answer.json()["status"]["allowed"] is True
    assert broken.status_code == 400


@pytest.mark.asyncio
async def test_a_rules_review_needs_a_namespace(start: StartServer, client_for: ClientFor) -> None:
    server = await start(Cluster("1.24", users=users()))
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    async with client_for(server, READER) as client:
        answer = await client.post(path, json={"spec": {}})
    assert answer.status_code == 400


@pytest.mark.asyncio
async def test_an_issued_token_belongs_to_the_service_account_until_it_expires(
    start: StartServer, client_for: ClientFor
) -> None:
    account = {"kind": "ServiceAccount", "metadata": {"name": "doctor", "namespace": "keptn"}}
    cluster = Cluster("1.24", [{"apiVersion": "v1", **account}], users(), lambda: NOW)
    server = await start(cluster)
    path = "/api/v1/namespaces/keptn/serviceaccounts/doctor/token"
    async with client_for(server) as client:
        answer = await client.post(path, json={"spec": {"expirationSeconds": 900}})
    assert answer.json()["status"]["expirationTimestamp"] == "2026-11-23T14:05:00Z"
    token = answer.json()["status"]["token"]
    async with client_for(server, token) as client:
        refused = (await client.get("/api/v1/pods")).json()
        assert "system:serviceaccount:keptn:doctor" in refused["message"]
        cluster.now = lambda: NOW + timedelta(seconds=901)
        assert (await client.get("/api/v1/pods")).status_code == 401


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("bound", "allowed"),
    [
        ("view", {"pods": True, "secrets": False, "pods/portforward": False, "roles": False}),
        ("edit", {"pods": True, "secrets": True, "pods/portforward": True, "roles": False}),
        ("admin", {"pods": True, "secrets": True, "pods/portforward": True, "roles": True}),
    ],
)
async def test_the_usual_roles_allow_what_operators_expect(
    bound: str, allowed: dict[str, bool], start: StartServer, client_for: ClientFor
) -> None:
    subject = {"kind": "User", "name": "reader"}
    objects = [binding("usual", f"ClusterRole/{bound}", subject, "keptn")]
    server = await start(Cluster("1.24", objects, {READER: User(name="reader")}))
    async with client_for(server, READER) as client:
        for resource, expected in allowed.items():
            name, _, subresource = resource.partition("/")
            wanted = {"verb": "get", "resource": name, "subresource": subresource}
            group = RBAC if name == "roles" else ""
            inside = await _may(client, namespace="keptn", group=group, **wanted)
            assert inside["allowed"] is expected, resource
            outside = await _may(client, namespace="other", group=group, **wanted)
            assert outside["allowed"] is False
