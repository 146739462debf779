"""Which Keptn services there are, and what each is told to do, as read from real sockets."""

from __future__ import annotations

from pathlib import Path

import pytest
from clusters import (
    NAMED,
    TOKEN,
    Object,
    control_plane,
    crashes,
    deployment,
    distributor,
    env,
    fleet,
    from_key,
    helm_service,
    obj,
    remote,
    secret,
    service,
    session_on,
)

from keptn_doctor.discover import discover
from keptn_doctor.model.kube_facts import NamespaceFacts, Workload
from keptn_doctor.model.topology import KeptnService, Topology

pytestmark = pytest.mark.asyncio
EXEC = obj("Namespace", "keptn-exec")


async def found(folder: Path, objects: list[Object], *, version: str = "1.4.5") -> Topology:
    async with fleet(folder) as clusters:
        await clusters.add("cp", control_plane(version=version))
        await clusters.add("exec-a", [EXEC, *objects])
        async with session_on(clusters.targets()) as session:
            topology = await discover(session)
            assert crashes(session) == []
            return topology


async def only(folder: Path, objects: list[Object]) -> KeptnService:
    (one,) = (await found(folder, objects)).services
    return one


async def test_a_service_with_a_distributor_beside_it(tmp_path: Path) -> None:
    one = await only(tmp_path, helm_service())
    assert one.subject == "exec-a/keptn-exec/helm-service"
    assert (one.client, one.container, one.service_container) == (
        "distributor", "distributor", "helm-service"
    )  # fmt: skip
    assert (one.mode, one.endpoint, one.client_version) == (
        "remote", "http://keptn.example.com/api", "0.18.0"
    )  # fmt: skip
    assert (one.integration_name, one.integration_namespace) == ("helm-service", "keptn-exec")
    assert one.behaviour.exits_when_heartbeat_fails
    assert TOKEN not in repr(one)


async def test_an_sdk_service_is_known_by_its_environment_and_not_by_its_name(
    tmp_path: Path,
) -> None:
    container = {"name": "worker", "image": "example/odd:1.0", "env": [*remote(), *NAMED]}
    one = await only(tmp_path, [deployment("my-own-thing", "keptn-exec", [container])])
    assert (one.name, one.client, one.container) == ("my-own-thing", "sdk", "worker")
    assert one.behaviour.heartbeat_interval_s == 5


async def test_an_sdk_service_in_nats_mode_is_found_without_an_endpoint(tmp_path: Path) -> None:
    container = {"name": "worker", "env": [*env(PUBSUB_TOPIC="sh.keptn.event.x.triggered"), *NAMED]}
    one = await only(tmp_path, [deployment("worker", "keptn-exec", [container])])
    assert (one.client, one.mode) == ("sdk", "nats")


async def test_an_endpoint_that_a_whole_config_map_brings_in_makes_a_keptn_service(
    tmp_path: Path,
) -> None:
    settings = obj("ConfigMap", "s", "keptn-exec", data={"KEPTN_API_ENDPOINT": "http://h/api"})
    container = {"name": "worker", "envFrom": [{"configMapRef": {"name": "s"}}]}
    one = await only(tmp_path, [settings, deployment("worker", "keptn-exec", [container])])
    assert (one.mode, one.endpoint) == ("remote", "http://h/api")


async def test_what_is_no_client_of_keptn_is_left_out(tmp_path: Path) -> None:
    web = deployment("helm-service-docs", "keptn-exec", [{"name": "nginx", "image": "nginx"}])
    other = deployment("app", "keptn-exec", [{"name": "app", "env": NAMED}])
    assert (await found(tmp_path, [web, other])).services == ()


async def test_a_service_scaled_to_zero_is_still_found(tmp_path: Path) -> None:
    one = await only(tmp_path, helm_service(replicas=0))
    assert one.endpoint == "http://keptn.example.com/api"


async def test_stateful_sets_and_daemon_sets_are_searched_as_well(tmp_path: Path) -> None:
    container = distributor(remote())
    kinds = {
        s.name: s.workload_kind
        for s in (
            await found(
                tmp_path,
                [
                    deployment("a", "keptn-exec", [container], kind="StatefulSet"),
                    deployment("b", "keptn-exec", [container], kind="DaemonSet"),
                ],
            )
        ).services
    }
    assert kinds == {"a": "StatefulSet", "b": "DaemonSet"}


async def test_a_finished_job_pod_is_no_keptn_service(tmp_path: Path) -> None:
    container = {"name": "job", "env": [*remote(), *NAMED]}
    job_pod = obj(
        "Pod", "job-executor-service-job-1", "keptn-exec",
        spec={"containers": [container]}, status={"phase": "Succeeded"},
    )  # fmt: skip
    one = await only(tmp_path, [*helm_service(), job_pod])
    assert one.name == "helm-service"


async def test_values_come_from_secrets_config_maps_and_fields(tmp_path: Path) -> None:
    variables = [
        from_key("KEPTN_API_ENDPOINT", "configMapKeyRef", "settings", "url"),
        from_key("KEPTN_API_TOKEN", "secretKeyRef", "keptn-api-token", "token"),
    ]
    one = await only(
        tmp_path,
        [
            obj("ConfigMap", "settings", "keptn-exec", data={"url": "https://k.example.com/api"}),
            secret("keptn-api-token", "keptn-exec", token=TOKEN),
            *helm_service(variables=variables),
        ],
    )
    assert one.endpoint == "https://k.example.com/api"
    assert one.token.source == "secret"
    assert one.token.reference == "secret keptn-exec/keptn-api-token key token"
    assert one.env_problems == ()


async def test_a_missing_secret_is_told_and_is_not_an_empty_token(tmp_path: Path) -> None:
    variables = [
        *env(KEPTN_API_ENDPOINT="http://h/api"),
        from_key("KEPTN_API_TOKEN", "secretKeyRef", "gone", "token"),
    ]
    one = await only(tmp_path, helm_service(variables=variables))
    assert (one.token.source, one.token.empty) == ("missing", False)
    (problem,) = one.env_problems
    assert (problem.variable, problem.problem) == ("KEPTN_API_TOKEN", "not-found")


async def test_filters_keep_their_blanks_and_odd_settings_are_told(tmp_path: Path) -> None:
    variables = [
        *remote(),
        *env(STAGE_FILTER="dev, prod", HTTP_SSL_VERIFY="yes", HTTPS_PROXY="http://u:p@proxy:3128"),
        *env(OAUTH_CLIENT_ID="id", OAUTH_SCOPES="a,b", PUBSUB_RECIPIENT_PORT="9000"),
    ]
    one = await only(tmp_path, helm_service(variables=variables))
    assert one.stage_filter == ("dev", " prod")
    assert one.malformed_variables == ("HTTP_SSL_VERIFY",)
    assert one.https_proxy == "http://proxy:3128"
    assert one.oauth.half_configured
    assert one.recipient == "127.0.0.1:9000"


async def test_the_control_planes_own_services_are_told_from_others_in_its_namespace(
    tmp_path: Path,
) -> None:
    labels = {"app.kubernetes.io/part-of": "keptn", "app.kubernetes.io/component": "keptn"}
    topic = env(PUBSUB_TOPIC="sh.keptn.event.approval.triggered")
    core = {"name": "approval-service", "env": [*topic, *NAMED]}
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", [
            *control_plane(),
            deployment("approval-service", "keptn", [core], labels=labels),
            *helm_service("keptn", variables=env(PUBSUB_TOPIC="x")),
        ])  # fmt: skip
        await clusters.add("exec-a", [EXEC, *helm_service()])
        async with session_on(clusters.targets()) as session:
            topology = await discover(session)
            assert crashes(session) == []
    owners = {s.subject: s.belongs_to for s in topology.services}
    assert owners == {
        "cp/keptn/approval-service": "control-plane",
        "cp/keptn/helm-service": "execution-plane",
        "exec-a/keptn-exec/helm-service": "execution-plane",
    }
    assert [p.name for p in topology.execution_planes] == ["exec-a", "cp"]


async def test_one_cluster_given_twice_shows_each_service_once(tmp_path: Path) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", [*control_plane(), EXEC, *helm_service()])
        await clusters.add("exec-a", [], same_as="cp")
        async with session_on(clusters.targets()) as session:
            topology = await discover(session)
    assert [s.subject for s in topology.services] == ["exec-a/keptn-exec/helm-service"]
    (plane,) = topology.execution_planes
    assert plane.cluster_uid == topology.control_plane.cluster_uid != ""


@pytest.mark.parametrize(
    ("version", "other_node", "expected"),
    [("1.4.5", "node-2", True), ("0.13.6", "node-2", False), ("0.13.6", "node-1", True)],
)
async def test_namesakes_are_those_that_share_a_record_on_this_control_plane(
    tmp_path: Path, version: str, other_node: str, *, expected: bool
) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", control_plane(version=version))
        await clusters.add("exec-a", [EXEC, *helm_service()])
        await clusters.add("exec-b", [EXEC, *helm_service(node=other_node)])
        async with session_on(clusters.targets(planes=("exec-a", "exec-b"))) as session:
            topology = await discover(session)
    one = service(topology, "exec-a/keptn-exec/helm-service")
    assert one.namesakes == (("exec-b/keptn-exec/helm-service",) if expected else ())


async def test_a_namesake_that_is_scaled_to_zero_shares_nothing(tmp_path: Path) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", control_plane())
        await clusters.add("exec-a", [EXEC, *helm_service()])
        await clusters.add("exec-b", [EXEC, *helm_service(replicas=0)])
        async with session_on(clusters.targets(planes=("exec-a", "exec-b"))) as session:
            topology = await discover(session)
    assert service(topology, "exec-a/keptn-exec/helm-service").namesakes == ()
    idle = service(topology, "exec-b/keptn-exec/helm-service")
    assert idle.namesakes == ("exec-a/keptn-exec/helm-service",)


async def test_each_distinct_endpoint_is_taken_apart_once(tmp_path: Path) -> None:
    topology = await found(
        tmp_path,
        [
            *helm_service(),
            *helm_service(name="jmeter-service"),
            *helm_service(name="odd", variables=remote("my-host/api")),
        ],
    )
    by_url = {e.url: e for e in topology.endpoints}
    assert set(by_url) == {"http://192.0.2.10/api", "http://keptn.example.com/api", "my-host/api"}
    assert len(by_url["http://keptn.example.com/api"].services) == 2
    assert by_url["my-host/api"].defect == "has no scheme"
    assert by_url["http://192.0.2.10/api"].used_by_operator


async def test_a_workload_fact_holds_its_pods_and_the_namespace_fact_the_rest(
    tmp_path: Path,
) -> None:
    stray = obj("Pod", "stray", "keptn-exec", spec={"containers": [{"name": "c", "image": "x"}]})
    event = obj(
        "Event", "e1", "keptn-exec",
        involvedObject={"kind": "Pod", "name": "helm-service-5d9c7b-x2x4z",
                        "namespace": "keptn-exec"},
        type="Warning", reason="BackOff", message="token KEPTN_API_TOKEN=abcdefgh", count=3,
    )  # fmt: skip
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", control_plane())
        await clusters.add("exec-a", [EXEC, *helm_service(), stray, event])
        async with session_on(clusters.targets()) as session:
            await discover(session)
            workloads = dict(session.recorder.facts(Workload))
            namespaces = {f.namespace: f for _, f in session.recorder.facts(NamespaceFacts)}
    (pod,) = workloads["exec-a/keptn-exec/helm-service"].pods
    assert {c.name: c.state for c in pod.containers} == {
        "helm-service": "running", "distributor": "running"
    }  # fmt: skip
    assert (pod.owner_kind, pod.owner_name) == ("Deployment", "helm-service")
    (told,) = pod.events
    assert (told.reason, told.count) == ("BackOff", 3)
    assert "abcdefgh" not in told.message
    assert [p.name for p in namespaces["keptn-exec"].pods] == ["stray"]
    assert namespaces["keptn-exec"].keptn_services == 1


async def test_pods_of_another_workload_with_a_longer_name_are_not_taken_for_its_own(
    tmp_path: Path,
) -> None:
    async with fleet(tmp_path) as clusters:
        await clusters.add("cp", control_plane())
        objects = [*helm_service(), *helm_service(name="helm-service-dev")]
        await clusters.add("exec-a", [EXEC, *objects])
        async with session_on(clusters.targets()) as session:
            await discover(session)
            workloads = dict(session.recorder.facts(Workload))
    assert {k: len(w.pods) for k, w in workloads.items()} == {
        "exec-a/keptn-exec/helm-service": 1, "exec-a/keptn-exec/helm-service-dev": 1
    }  # fmt: skip
