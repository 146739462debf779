"""Where the control plane is, how it is exposed, and what each missing right hides."""

from __future__ import annotations

from pathlib import Path

import pytest
from clusters import (
    TOKEN,
    Object,
    control_plane,
    crashes,
    failures,
    fleet,
    helm_service,
    obj,
    secret,
    service,
    session_on,
)

from keptn_doctor.discover import discover
from keptn_doctor.lab.kube import Rule
from keptn_doctor.model.keptn_facts import ReferenceToken
from keptn_doctor.model.kube_facts import (
    ClusterFacts,
    Components,
    ExposureRoutes,
    GatewayService,
    NamespaceFacts,
    RightsReview,
    Workload,
)
from keptn_doctor.model.topology import Topology
from keptn_doctor.probes.token_state import shape
from keptn_doctor.secret import Secret
from keptn_doctor.session import Session
from keptn_doctor.targets import ApiTarget

pytestmark = pytest.mark.asyncio
EXEC = obj("Namespace", "keptn-exec")
EVERYTHING = Rule(api_groups=("*",), resources=("*",), verbs=("*",))


def within(*namespaces: str) -> Rule:
    return Rule(api_groups=("*",), resources=("*",), verbs=("*",), namespaces=namespaces)


async def test_namespace_version_gateway_and_endpoint(tmp_path: Path) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", control_plane("keptn-prod", "0.19.3"))
        async with session_on(clusters.targets(planes=())) as session:
            topology = await discover(session)
            facts = session.recorder
            (gateway,) = facts.facts(GatewayService)
            (components,) = facts.facts(Components)
            (cluster,) = facts.facts(ClusterFacts)
    plane = topology.control_plane
    assert (plane.namespace, plane.version) == ("keptn-prod", "0.19.3")
    assert plane.api_url == "http://192.0.2.10/api"
    assert gateway[1].type == "LoadBalancer"
    assert {w.name for w in components[1].found} == {
        "api-gateway-nginx", "api-service", "shipyard-controller"
    }  # fmt: skip
    assert "keptn-mongo" in {c.name for c in components[1].expected}
    assert cluster[1].version == "1.24"


async def test_the_token_is_the_one_that_api_service_reads(tmp_path: Path) -> None:
    objects = control_plane()
    api = next(o for o in objects if o["metadata"]["name"] == "api-service")
    reference = api["spec"]["template"]["spec"]["containers"][0]["env"][0]["valueFrom"]
    reference["secretKeyRef"] = {"name": "my-token", "key": "t"}
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", [*objects, secret("my-token", "keptn", t="another-fake-token")])
        async with session_on(clusters.targets(planes=())) as session:
            await discover(session)
            ((_, token),) = session.recorder.facts(ReferenceToken)
            assert session.reference_token == Secret("another-fake-token")
            assert "another-fake-token" not in repr(session.recorder.observations)
    assert (token.name, token.standard_name) == ("my-token", False)
    assert token.fingerprint == shape(b"another-fake-token", salt=b"salt").fingerprint


async def test_a_service_and_the_control_plane_with_one_token_have_one_fingerprint(
    tmp_path: Path,
) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", control_plane())
        await clusters.add("exec-a", [EXEC, *helm_service()])
        async with session_on(clusters.targets()) as session:
            topology = await discover(session)
            ((_, token),) = session.recorder.facts(ReferenceToken)
            assert TOKEN not in repr(session.recorder.observations)
    one = service(topology, "exec-a/keptn-exec/helm-service")
    assert one.token.fingerprint == token.fingerprint


async def routes_of(folder: Path, objects: list[Object]) -> ExposureRoutes:
    async with fleet(folder) as clusters:
        await clusters.add("cp", [*control_plane(), *objects])
        async with session_on(clusters.targets(planes=())) as session:
            await discover(session)
            assert crashes(session) == []
            ((_, routes),) = session.recorder.facts(ExposureRoutes)
            return routes


def ingress(host: str, service_name: str = "api-gateway-nginx", **spec: object) -> Object:
    backend = {"service": {"name": service_name, "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rules = [{"host": host, "http": {"paths": [path]}}]
    return obj("Ingress", "api-keptn-ingress", "keptn", spec={"rules": rules, **spec})


async def test_an_ingress_to_the_gateway_promises_its_host(tmp_path: Path) -> None:
    tls = [{"hosts": ["keptn.example.com"], "secretName": "keptn-tls"}]
    async with fleet(tmp_path) as clusters:
        made = ingress("keptn.example.com", tls=tls, ingressClassName="nginx")
        await clusters.add("cp", [*control_plane(), made, obj("IngressClass", "nginx")])
        async with session_on(clusters.targets(planes=())) as session:
            topology = await discover(session)
            ((_, routes),) = session.recorder.facts(ExposureRoutes)
    assert topology.control_plane.api_url == "https://keptn.example.com/api"
    (route,) = routes.routes
    assert (route.targets_gateway, route.class_exists) == (True, True)
    assert (route.tls_secret, route.tls_secret_exists) == ("keptn-tls", False)


async def test_an_ingress_of_a_class_that_nobody_declared(tmp_path: Path) -> None:
    routes = await routes_of(tmp_path, [ingress("h", ingressClassName="missing")])
    assert routes.routes[0].class_exists is False


async def test_an_ingress_that_means_the_gateway_and_misses_it(tmp_path: Path) -> None:
    routes = await routes_of(tmp_path, [ingress("h", "api-gateway")])
    (route,) = routes.routes
    assert not route.targets_gateway
    assert "does not exist" in route.reason


async def test_an_endpoint_that_services_use_is_preferred_to_other_promises(
    tmp_path: Path,
) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", [*control_plane(), ingress("other.example.com")])
        variables = [
            {"name": "KEPTN_API_ENDPOINT", "value": "http://192.0.2.10/api"},
            {"name": "KEPTN_API_TOKEN", "value": TOKEN},
        ]
        await clusters.add("exec-a", [EXEC, *helm_service(variables=variables)])
        async with session_on(clusters.targets()) as session:
            topology = await discover(session)
    assert topology.control_plane.api_url == "http://192.0.2.10/api"
    (endpoint,) = topology.endpoints
    assert endpoint.used_by_operator
    assert endpoint.services == ("exec-a/keptn-exec/helm-service",)


async def test_a_gateway_in_another_namespace_than_the_one_named(tmp_path: Path) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", control_plane("keptn-prod"))
        targets = clusters.targets(planes=(), namespaces={"cp": ("keptn",)})
        async with session_on(targets) as session:
            topology = await discover(session)
            (failure,) = failures(session, "gateway-service")
    assert topology.control_plane.namespace == ""
    assert topology.control_plane.elsewhere == ("keptn-prod",)
    assert failure.code == "not-found"
    assert "keptn-prod" in failure.detail


async def test_a_cluster_without_keptn(tmp_path: Path) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", [])
        async with session_on(clusters.targets(planes=())) as session:
            topology = await discover(session)
            assert [f.code for f in failures(session, "gateway-service")] == ["not-found"]
            assert crashes(session) == []
    assert topology.control_plane.namespace == ""
    assert topology.control_plane.api_url == ""


async def test_only_an_endpoint_and_a_token_are_given(tmp_path: Path) -> None:
    api = ApiTarget(endpoint="https://keptn.example.com/api", token=Secret(TOKEN))
    async with fleet(tmp_path) as clusters:
        await clusters.add("exec-a", [EXEC, *helm_service()])
        async with session_on(clusters.targets(control="", api=api)) as session:
            topology = await discover(session)
            notes = [n.probe for n in session.recorder.not_attempted]
    assert topology.control_plane.api_url == "https://keptn.example.com/api"
    assert [s.name for s in topology.services] == ["helm-service"]
    assert "gateway-service" in notes


# ------------------------------------------------------------------ rights


async def with_rules(
    folder: Path, plane: tuple[Rule, ...], *, control: tuple[Rule, ...] | None = None
) -> tuple[Topology, Session]:
    async with fleet(folder) as clusters:
        await clusters.add("cp", control_plane(), rules=control)
        secrets = secret("keptn-api-token", "keptn-exec", token=TOKEN)
        variables = [
            {"name": "KEPTN_API_ENDPOINT", "value": "http://h/api"},
            {"name": "KEPTN_API_TOKEN", "valueFrom": {
                "secretKeyRef": {"name": "keptn-api-token", "key": "token"}}},
        ]  # fmt: skip
        objects = [EXEC, secrets, *helm_service(variables=variables)]
        await clusters.add("exec-a", objects, rules=plane)
        async with session_on(clusters.targets()) as session:
            topology = await discover(session)
            assert crashes(session) == []
            return topology, session


async def test_rights_in_one_namespace_are_enough_to_find_its_services(tmp_path: Path) -> None:
    topology, session = await with_rules(
        tmp_path, (within("keptn-exec"),), control=(within("keptn"),)
    )
    assert topology.control_plane.namespace == "keptn"
    assert [s.name for s in topology.services] == ["helm-service"]
    (plane,) = topology.execution_planes
    assert not plane.all_namespaces
    assert plane.namespaces == ("keptn-exec",)
    assert "list nodes" in {f.right for f in failures(session, "nodes")}
    unlocks = {n.unlock for n in session.recorder.not_attempted}
    assert "list deployments.apps in all namespaces" in unlocks


async def test_without_secrets_the_token_is_unreadable_and_the_rest_is_there(
    tmp_path: Path,
) -> None:
    rule = Rule(
        api_groups=("", "apps", "networking.k8s.io", "authorization.k8s.io"),
        resources=("deployments", "statefulsets", "daemonsets", "replicasets", "pods", "events",
                   "namespaces", "configmaps", "networkpolicies", "resourcequotas", "nodes"),
    )  # fmt: skip
    topology, _ = await with_rules(tmp_path, (rule,), control=(rule,))
    (one,) = topology.services
    assert one.token.source == "unreadable"
    (problem,) = one.env_problems
    assert problem.problem == "forbidden"
    assert one.endpoint == "http://h/api"


async def test_a_refused_reference_token_names_the_right_that_was_missing(tmp_path: Path) -> None:
    rule = Rule(api_groups=("*",), resources=("deployments", "services"), verbs=("*",))
    _, session = await with_rules(tmp_path, (EVERYTHING,), control=(rule,))
    (failure,) = failures(session, "reference-token")
    assert failure.code == "forbidden"
    assert failure.right == "get secrets in namespace keptn"


async def test_pods_that_may_not_be_listed_are_a_failure_and_not_an_empty_workload(
    tmp_path: Path,
) -> None:
    rule = Rule(api_groups=("apps",), resources=("deployments", "statefulsets", "daemonsets"))
    topology, session = await with_rules(tmp_path, (rule,))
    (one,) = topology.services
    assert [s for s, _ in session.recorder.facts(Workload)] == []
    (failure,) = failures(session, "workload")
    assert failure.right == "list pods in namespace keptn-exec"
    assert one.token.source == "unreadable"


async def test_no_right_at_all_in_a_plane_leaves_the_other_facts_alone(tmp_path: Path) -> None:
    topology, session = await with_rules(tmp_path, ())
    assert topology.services == ()
    assert topology.control_plane.namespace == "keptn"
    rights = {n.unlock for n in session.recorder.not_attempted if n.subject == "exec-a"}
    assert "list deployments.apps in all namespaces" in rights


async def test_refused_credentials_are_a_failure_of_the_plane(tmp_path: Path) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", control_plane())
        server = await clusters.add("exec-a", [EXEC, *helm_service()])
        server.cluster.users.clear()
        async with session_on(clusters.targets()) as session:
            topology = await discover(session)
            assert crashes(session) == []
            codes = {f.code for f in failures(session, "cluster")}
    assert "unauthorized" in codes
    assert topology.services == ()
    assert [p.name for p in topology.execution_planes] == ["exec-a"]


async def test_the_operators_rights_are_reviewed(tmp_path: Path) -> None:
    _, session = await with_rules(tmp_path, (within("keptn-exec"),))
    reviews = dict(session.recorder.facts(RightsReview))
    assert {"exec-a", "control-plane/cp"} <= set(reviews)


async def test_a_namespace_that_was_named_and_does_not_exist_is_told(tmp_path: Path) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", control_plane())
        await clusters.add("exec-a", [EXEC, *helm_service()])
        targets = clusters.targets(namespaces={"exec-a": ("keptn-jes",)})
        async with session_on(targets) as session:
            topology = await discover(session)
            found = {f.namespace: f.exists for _, f in session.recorder.facts(NamespaceFacts)}
    assert topology.services == ()
    assert found["keptn-jes"] is False


async def test_odd_objects_do_not_cost_the_list(tmp_path: Path) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", control_plane())
        server = await clusters.add("exec-a", [EXEC, *helm_service()])
        odd = {"apiVersion": "apps/v1", "kind": "Deployment",
               "metadata": {"name": "odd", "namespace": "keptn-exec", "labels": None},
               "spec": {"template": {"spec": {"containers": None}}}, "status": None}  # fmt: skip
        server.cluster.add(odd, raw=True)
        async with session_on(clusters.targets()) as session:
            topology = await discover(session)
            assert crashes(session) == []
    assert [s.name for s in topology.services] == ["helm-service"]
