"""Policies, claims, load balancers, routes and components as they are flattened into facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from clusters import Object, control_plane, crashes, fleet, helm_service, obj, session_on

from keptn_doctor.discover import discover
from keptn_doctor.lab.kube import Resource
from keptn_doctor.model.kube_facts import (
    Claims,
    ClusterFacts,
    Components,
    ExposureRoutes,
    GatewayService,
    LoadBalancerProvider,
    NamespaceFacts,
    NetworkPolicies,
    Nodes,
)
from keptn_doctor.model.path_facts import HttpAnswer
from keptn_doctor.probes.kube_objects import LabelSelector
from keptn_doctor.probes.local_api import origin_of, pollable
from keptn_doctor.probes.networkpolicies import selects

F = TypeVar("F")
EXEC = obj("Namespace", "keptn-exec")
PLANE, CONTROL = "exec-a", "control-plane/cp"


async def facts(
    folder: Path, kind: type[F], subject: str, *,
    cp: list[Object] | None = None, plane: list[Object] | None = None, generation: str = "1.24",
    resources: tuple[Resource, ...] = (),
) -> list[F]:  # fmt: skip
    async with fleet(folder) as clusters:
        server = await clusters.add("cp", [], generation=generation)
        for resource in resources:
            server.cluster.catalogue.add(resource)
        for one in [*control_plane(), *(cp or [])]:
            server.cluster.add(one)
        await clusters.add("exec-a", [EXEC, *helm_service(), *(plane or [])])
        async with session_on(clusters.targets()) as session:
            await discover(session)
            assert crashes(session) == []
            return [f for s, f in session.recorder.facts(kind) if s == subject]


def policy(name: str, **spec: Any) -> Object:
    return obj("NetworkPolicy", name, "keptn-exec", spec=spec)


@pytest.mark.asyncio
async def test_a_policy_that_selects_a_service_is_flattened(tmp_path: Path) -> None:
    selector = {"matchLabels": {"app.kubernetes.io/name": "helm-service"}}
    block = {"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.7/32"]}}
    ports = [{"protocol": "TCP", "port": 443}, {"port": 8000, "endPort": 9000}]
    listed = [
        policy("to-keptn", podSelector=selector, policyTypes=["Egress"],
               egress=[{"to": [block], "ports": ports}, {"to": [{"podSelector": {}}]}]),
        policy("of-others", podSelector={"matchLabels": {"app": "x"}}, policyTypes=["Egress"]),
        policy("deny", podSelector={}, policyTypes=["Egress", "Ingress"]),
        policy("inwards", podSelector={},
               ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]),
        policy("open", podSelector={}, ingress=[{}]),
    ]  # fmt: skip
    (found,) = await facts(tmp_path, NetworkPolicies, PLANE, plane=listed)
    by_name = {p.name: p for p in found.policies}
    assert set(by_name) == {"to-keptn", "deny", "inwards", "open"}
    first, second = by_name["to-keptn"].egress or ()
    assert first.cidrs == ("203.0.113.0/24",)
    assert first.except_cidrs == ("203.0.113.7/32",)
    assert first.ports == ("TCP/443", "TCP/8000-9000")
    assert (second.selectors, second.cidrs) == (True, ())
    assert by_name["to-keptn"].selects == ("exec-a/keptn-exec/helm-service",)
    assert by_name["deny"].egress == ()
    assert by_name["inwards"].egress is None
    assert by_name["inwards"].ingress_cidrs == ("10.0.0.0/8",)
    assert [by_name[n].ingress_restricted for n in ("deny", "inwards", "open")] == [
        True, True, False
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "b", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["1"]}]}, True),
    ],
)
def test_label_selectors(selector: dict[str, Any], *, expected: bool) -> None:
    assert selects(msgspec.convert(selector, LabelSelector), {"a": "1"}) is expected


@pytest.mark.asyncio
async def test_an_unbound_claim_and_the_lack_of_a_default_class(tmp_path: Path) -> None:
    claim = obj(
        "PersistentVolumeClaim", "keptn-mongo", "keptn",
        spec={"storageClassName": "fast", "resources": {"requests": {"storage": "8Gi"}}},
        status={"phase": "Pending"},
    )  # fmt: skip
    event = obj(
        "Event", "e", "keptn", type="Warning", reason="ProvisioningFailed", message="no class",
        involvedObject={"kind": "PersistentVolumeClaim", "name": "keptn-mongo",
                        "namespace": "keptn"},
    )  # fmt: skip
    classes = [obj("StorageClass", "slow", provisioner="x")]
    (found,) = await facts(tmp_path, Claims, CONTROL, cp=[claim, event, *classes])
    (one,) = found.claims
    assert (one.phase, one.size_mi, one.storage_class_exists) == ("Pending", 8192, False)
    assert [e.reason for e in one.events] == ["ProvisioningFailed"]
    assert found.default_storage_class == ""


@pytest.mark.asyncio
async def test_what_hands_out_addresses_and_who_else_claims_the_port(tmp_path: Path) -> None:
    def pod(name: str, namespace: str, **status: Any) -> Object:
        return obj("Pod", name, namespace, spec={"containers": [{"name": "c", "image": "x"}]},
                   status=status)  # fmt: skip

    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                 "message": "1 node(s) didn't have free ports for the pod"}  # fmt: skip
    svclb = pod("svclb-api-gateway-nginx-abc", "kube-system", phase="Pending",
                conditions=[condition])  # fmt: skip
    traefik = obj("Service", "traefik", "kube-system",
                  spec={"type": "LoadBalancer", "ports": [{"port": 80}]})  # fmt: skip
    quiet = obj("Service", "other", "kube-system", spec={"ports": [{"port": 80}]})
    (found,) = await facts(tmp_path, LoadBalancerProvider, CONTROL, cp=[svclb, traefik, quiet])
    assert found.providers == ("klipper",)
    assert [p.phase for p in found.svclb_pods] == ["Pending"]
    assert "free ports" in found.svclb_pods[0].conditions[0].message
    assert found.same_port_services == ("kube-system/traefik",)


@pytest.mark.asyncio
async def test_routes_of_a_mesh_and_of_the_gateway_api_are_found_in_other_namespaces(
    tmp_path: Path,
) -> None:
    resources = (
        Resource(group="networking.istio.io", version="v1beta1", name="virtualservices",
                 kind="VirtualService"),
        Resource(group="gateway.networking.k8s.io", version="v1", name="httproutes",
                 kind="HTTPRoute"),
        Resource(group="route.openshift.io", version="v1", name="routes", kind="Route"),
    )  # fmt: skip
    mesh = {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "VirtualService",
        "metadata": {"name": "keptn", "namespace": "istio-system"},
        "spec": {
            "hosts": ["keptn.example.com"],
            "http": [
                {
                    "route": [
                        {
                            "destination": {
                                "host": "api-gateway-nginx.keptn.svc.cluster.local",
                                "port": {"number": 80},
                            }
                        }
                    ]
                }
            ],
        },
    }
    elsewhere = {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "VirtualService",
        "metadata": {"name": "other", "namespace": "x"},
        "spec": {
            "hosts": ["h"],
            "http": [{"route": [{"destination": {"host": "api-gateway-nginx"}}]}],
        },
    }
    http = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "keptn", "namespace": "keptn"},
        "spec": {
            "hostnames": ["k2.example.com"],
            "rules": [{"backendRefs": [{"name": "api-gateway-nginx", "port": 8080}]}],
        },
        "status": {
            "parents": [
                {
                    "conditions": [
                        {"type": "Accepted", "status": "False", "message": "no matching parent"}
                    ]
                }
            ]
        },
    }
    route = {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": "api-gateway-nginx", "namespace": "keptn"},
        "spec": {
            "host": "k3.example.com",
            "to": {"kind": "Service", "name": "api-gateway"},
            "port": {"targetPort": 8443},
            "tls": {"termination": "edge"},
        },
        "status": {"ingress": [{"conditions": [{"type": "Admitted", "status": "True"}]}]},
    }
    (found,) = await facts(
        tmp_path, ExposureRoutes, CONTROL, cp=[mesh, elsewhere, http, route], resources=resources
    )
    by_kind = {r.route_kind: r for r in found.routes}
    assert len(found.routes) == 3
    assert by_kind["VirtualService"].targets_gateway
    assert by_kind["HTTPRoute"].admitted is False
    assert by_kind["HTTPRoute"].reason == "Service api-gateway-nginx has no port 8080" or (
        by_kind["HTTPRoute"].targets_gateway
    )
    assert not by_kind["Route"].targets_gateway
    assert "does not exist" in by_kind["Route"].reason
    assert by_kind["Route"].admitted is True


@pytest.mark.asyncio
async def test_an_ingress_of_the_removed_version_is_read_where_it_is_served(tmp_path: Path) -> None:
    ingress = {
        "apiVersion": "networking.k8s.io/v1beta1",
        "kind": "Ingress",
        "metadata": {"name": "api-keptn-ingress", "namespace": "keptn"},
        "spec": {
            "rules": [
                {
                    "host": "keptn.example.com",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "backend": {"serviceName": "api-gateway-nginx", "servicePort": 80},
                            }
                        ]
                    },
                }
            ]
        },
    }
    (found,) = await facts(tmp_path, ExposureRoutes, CONTROL, cp=[ingress], generation="1.18")
    (one,) = found.routes
    assert (one.targets_gateway, one.backend_port, one.hosts) == (
        True, "80", ("keptn.example.com",)
    )  # fmt: skip


@pytest.mark.asyncio
async def test_settings_of_the_control_plane_that_checks_know_about(tmp_path: Path) -> None:
    config = obj("ConfigMap", "api-nginx-config", "keptn", data={
        "nginx.conf": "client_max_body_size 5m;",
        "keptn-endpoints.conf": "location /keptn/api {\n}\nlocation /keptn/api/resource-service/ {",
    })  # fmt: skip
    objects = control_plane()
    shipyard = next(o for o in objects if o["metadata"]["name"] == "shipyard-controller")
    shipyard["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "UNIFORM_INTEGRATION_TTL", "value": "2m"},
        {"name": "SOMETHING_ELSE", "value": "not kept"},
    ]
    (found,) = await facts(tmp_path, Components, CONTROL, cp=[config, *objects])
    assert found.settings == {
        "shipyard-controller/UNIFORM_INTEGRATION_TTL": "2m",
        "api-gateway-nginx/client_max_body_size": "5m",
        "api-gateway-nginx/prefix": "/keptn",
        "api-gateway-nginx/resource_routes": "resource-service",
    }


@pytest.mark.asyncio
async def test_nodes_and_what_all_pods_request_of_them(tmp_path: Path) -> None:
    node = obj("Node", "n1", spec={"taints": [{"key": "k", "effect": "NoSchedule"}]}, status={
        "allocatable": {"cpu": "1930m", "memory": "2Gi"},
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
        "conditions": [{"type": "Ready", "status": "True"}],
        "nodeInfo": {"architecture": "arm64"}})  # fmt: skip
    requests = {"requests": {"cpu": "250m", "memory": "64Mi"}}
    big = {"requests": {"cpu": "1"}}
    pods = [
        obj("Pod", "a", "keptn", spec={"nodeName": "n1", "containers": [
            {"name": "c", "image": "x", "resources": requests}], "initContainers": [
            {"name": "i", "image": "x", "resources": big}]}, status={"phase": "Running"}),
        obj("Pod", "b", "keptn", spec={"nodeName": "n1", "containers": [
            {"name": "c", "image": "x", "resources": big}]}, status={"phase": "Succeeded"}),
        obj("Pod", "c", "keptn", spec={"containers": [
            {"name": "c", "image": "x", "resources": big}]}, status={"phase": "Pending"}),
    ]  # fmt: skip
    (found,) = await facts(tmp_path, Nodes, CONTROL, cp=[node, *pods])
    (one,) = found.nodes
    assert (one.allocatable_cpu_m, one.allocatable_memory_mi, one.architecture) == (
        1930, 2048, "arm64"
    )  # fmt: skip
    assert (one.ready, one.taints) == (True, ("k:NoSchedule",))
    assert (found.requested_cpu_m, found.requested_memory_mi) == (1000, 64)


@pytest.mark.asyncio
async def test_quotas_are_told_with_their_exhaustion(tmp_path: Path) -> None:
    quota = obj("ResourceQuota", "team", "keptn-exec", status={
        "hard": {"pods": "2", "limits.memory": "1Gi"}, "used": {"pods": "2"}})  # fmt: skip
    listed = await facts(tmp_path, NamespaceFacts, PLANE, plane=[quota])
    (found,) = [f for f in listed if f.namespace == "keptn-exec"]
    assert {q.resource: q.exhausted for q in found.quotas} == {"pods": True, "limits.memory": False}


@pytest.mark.asyncio
async def test_backends_of_the_gateway_are_counted(tmp_path: Path) -> None:
    endpoints = obj("Endpoints", "api-gateway-nginx", "keptn", subsets=[{
        "addresses": [{"ip": "10.1.0.1", "nodeName": "n1"}],
        "notReadyAddresses": [{"ip": "10.1.0.2"}], "ports": [{"port": 8080}]}])  # fmt: skip
    (found,) = await facts(tmp_path, GatewayService, CONTROL, cp=[endpoints])
    assert (found.ready_endpoints, found.not_ready_endpoints) == (1, 1)
    assert found.endpoint_nodes == ("n1",)


@pytest.mark.asyncio
async def test_the_clusters_own_dns_is_counted(tmp_path: Path) -> None:
    pods = [
        obj("Pod", f"coredns-{ready}", "kube-system", metadata={"labels": {"k8s-app": "kube-dns"}},
            spec={"containers": [{"name": "c", "image": "x"}]},
            status={"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]})
        for ready in ("True", "False")
    ]  # fmt: skip
    (found,) = await facts(tmp_path, ClusterFacts, CONTROL, cp=pods)
    assert (found.dns_pods, found.dns_pods_ready) == (2, 1)


# ------------------------------------------------------------------ the local API proxy


def answer(status: int, body: str, server: str = "", title: str = "") -> HttpAnswer:
    return HttpAnswer(url="http://localhost", status=status, body=body, server=server, title=title)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "origin"),
    [
        (answer(200, "json", "nginx"), "keptn"),
        (answer(500, "empty"), "distributor"),
        (answer(500, "empty", "nginx"), "gateway"),
        (answer(500, "html", "nginx"), "gateway"),
        (answer(401, "text", "nginx"), "gateway"),
        (answer(404, "html", "awselb/2.0"), "other"),
        (answer(502, "empty", "envoy"), "other"),
        (answer(404, "html", "", "404 Not Found nginx"), "gateway"),
    ],
)
def test_who_answered_through_the_proxy(seen: HttpAnswer, origin: str) -> None:
    assert origin_of(seen) == origin


def test_a_topic_that_can_be_polled_is_chosen_and_never_a_wildcard() -> None:
    topics = ("sh.keptn.>", "sh.keptn.event.a.finished", "sh.keptn.event.test.triggered")
    assert pollable(topics) == "sh.keptn.event.test.triggered"
    assert pollable(("sh.keptn.>",)) == "sh.keptn.event.keptn-doctor.triggered"
