"""Causes at workloads, and the pods, events and conditions that follow from them."""

from __future__ import annotations

from typing import Any

import pytest
from world_lab import ask, events, kube, listed, log_of, pods

from keptn_doctor.lab.scenario import ScenarioError, loads
from keptn_doctor.lab.start import start

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]

DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"


def container(pod: dict[str, Any], name: str) -> dict[str, Any]:
    return next(c for c in pod["status"]["containerStatuses"] if c["name"] == name)


async def test_an_image_that_the_registry_does_not_have_is_not_pulled() -> None:
    scenario = loads(
        """
        title: t
        execution-planes:
          exec-a:
            cluster: {unpullable: {"*/helm-service:*": not-found}}
        """
    )
    async with start(scenario) as lab:
        found = await pods(lab, "exec-a", "keptn-exec")
        seen = await events(lab, "exec-a", "keptn-exec")
    waiting = container(found["helm-service"], "helm-service")["state"]["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    assert any("not found" in message for _, message in seen)
    assert "running" in container(found["jmeter-service"], "distributor")["state"]


async def test_fillers_are_running_pods_beside_those_of_the_cluster() -> None:
    scenario = loads("title: t\nexecution-planes: {exec-a: {cluster: {fillers: 23}}}")
    async with start(scenario) as lab:
        found = await listed(lab, "exec-a", "/api/v1/namespaces/shop/pods")
        others = await listed(lab, "exec-b", "/api/v1/pods")
    assert len(found) == 23
    assert all(container(pod, "main")["ready"] for pod in found)
    assert not any(pod["metadata"]["namespace"] == "shop" for pod in others)


async def test_an_image_for_another_processor_cannot_be_executed() -> None:
    scenario = loads("title: t\ncontrol-plane: {cluster: {nodes: [{architecture: arm64}]}}")
    async with start(scenario) as lab:
        pod = (await pods(lab, "keptn-cp", "keptn"))["shipyard-controller"]
        text = await log_of(lab, "keptn-cp", "keptn", pod["metadata"]["name"])
    state = container(pod, "shipyard-controller")
    assert state["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert state["lastState"]["terminated"]["exitCode"] == 1
    assert "exec format error" in text


async def test_a_missing_secret_keeps_the_container_from_being_created() -> None:
    scenario = loads(
        """
        title: t
        execution-planes:
          exec-a:
            services: {helm-service: {token-from: secret, token-secret: my-token}}
            cluster: {objects: [{remove: Secret keptn-exec/my-token}]}
        """
    )
    async with start(scenario) as lab:
        pod = (await pods(lab, "exec-a", "keptn-exec"))["helm-service"]
        seen = await events(lab, "exec-a", "keptn-exec")
    waiting = container(pod, "distributor")["state"]["waiting"]
    assert waiting == {
        "reason": "CreateContainerConfigError",
        "message": 'secret "my-token" not found',
    }
    assert container(pod, "helm-service")["ready"] is True
    assert ("Failed", 'Error: secret "my-token" not found') in seen


async def test_a_secret_without_the_key_is_named() -> None:
    scenario = loads(
        """
        title: t
        execution-planes:
          exec-a:
            services: {helm-service: {token-from: secret}}
            cluster:
              objects:
                - patch: Secret keptn-exec/keptn-api-token
                  merge: {data: {keptn-api-token: null, token: eA==}}
        """
    )
    async with start(scenario) as lab:
        pod = (await pods(lab, "exec-a", "keptn-exec"))["helm-service"]
    message = container(pod, "distributor")["state"]["waiting"]["message"]
    assert message == "couldn't find key keptn-api-token in Secret keptn-exec/keptn-api-token"


async def test_pods_that_do_not_fit_stay_pending() -> None:
    scenario = loads(
        "title: t\ncontrol-plane: {cluster: {nodes: [{cpu: 500m, memory: 16Gi}]}}"
    )
    async with start(scenario) as lab:
        found = await pods(lab, "keptn-cp", "keptn")
        seen = await events(lab, "keptn-cp", "keptn")
    pending = [p for p in found.values() if p["status"]["phase"] == "Pending"]
    assert pending
    reasons = {c["reason"] for p in pending for c in p["status"]["conditions"]}
    assert reasons == {"Unschedulable"}
    assert ("FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu.") in seen


async def test_a_tainted_node_takes_no_pods() -> None:
    scenario = loads(
        "title: t\nexecution-planes: {exec-a: {cluster: {nodes: [{pressure: [memory]}]}}}"
    )
    async with start(scenario) as lab:
        seen = await events(lab, "exec-a", "keptn-exec")
        nodes = await listed(lab, "exec-a", "/api/v1/nodes")
    assert any("untolerated taint" in message for _, message in seen)
    pressure = [c for c in nodes[0]["status"]["conditions"] if c["type"] == "MemoryPressure"]
    assert pressure[0]["status"] == "True"


async def test_a_quota_leaves_the_replica_set_without_a_pod() -> None:
    scenario = loads(
        """
        title: t
        execution-planes:
          exec-a:
            cluster:
              objects:
                - add:
                    apiVersion: v1
                    kind: ResourceQuota
                    metadata: {name: team, namespace: keptn-exec}
                    spec: {hard: {limits.memory: 300Mi}}
        """
    )
    async with start(scenario) as lab:
        found = await pods(lab, "exec-a", "keptn-exec")
        seen = await events(lab, "exec-a", "keptn-exec")
        deployments = await listed(lab, "exec-a", DEPLOYMENTS.format("keptn-exec"))
        quotas = await listed(lab, "exec-a", "/api/v1/namespaces/keptn-exec/resourcequotas")
    assert set(found) == {"helm-service"}
    assert any(r == "FailedCreate" and "exceeded quota: team" in m for r, m in seen)
    jmeter = next(d for d in deployments if d["metadata"]["name"] == "jmeter-service")
    failure = [c for c in jmeter["status"]["conditions"] if c["type"] == "ReplicaFailure"]
    assert failure[0]["status"] == "True"
    assert quotas[0]["status"]["used"] == {"limits.memory": "160Mi"}


async def test_pod_security_refuses_pods_of_a_restricted_namespace() -> None:
    scenario = loads(
        """
        title: t
        execution-planes:
          exec-a:
            cluster:
              kubernetes: 1.25
              objects:
                - patch: Namespace keptn-exec
                  merge:
                    metadata: {labels: {pod-security.kubernetes.io/enforce: restricted}}
        """
    )
    async with start(scenario) as lab:
        found = await pods(lab, "exec-a", "keptn-exec")
        seen = await events(lab, "exec-a", "keptn-exec")
    assert found == {}
    assert any('violates PodSecurity "restricted:latest"' in message for _, message in seen)


async def test_openshift_refuses_fixed_group_ids() -> None:
    scenario = loads(
        """
        title: t
        control-plane:
          cluster:
            platform: openshift
            objects:
              - patch: Deployment keptn/api-gateway-nginx
                merge: {spec: {template: {spec: {securityContext: {fsGroup: 101}}}}}
        """
    )
    async with start(scenario) as lab:
        found = await pods(lab, "keptn-cp", "keptn")
        seen = await events(lab, "keptn-cp", "keptn")
    assert "api-gateway-nginx" not in found
    assert any("unable to validate against any security context" in m for _, m in seen)
    annotations = found["bridge"]["metadata"]["annotations"]
    assert annotations["openshift.io/scc"] == "restricted-v2"


@pytest.mark.parametrize(
    ("lever", "reason", "phrase"),
    [
        ("classes: []", "FailedBinding", "no storage class is set"),
        ("default: false", "FailedBinding", "no persistent volumes available"),
        ("provisioning: missing", "ExternalProvisioning", "external provisioner"),
        ("provisioning: no-capacity", "ProvisioningFailed", "no capacity left"),
    ],
)
async def test_a_claim_that_cannot_be_bound_keeps_its_pod_pending(
    lever: str, reason: str, phrase: str
) -> None:
    storage = f"{{{lever}, unbound-claims: [keptn-mongo]}}"
    scenario = loads(f"title: t\ncontrol-plane: {{cluster: {{storage: {storage}}}}}")
    async with start(scenario) as lab:
        claims = await listed(
            lab, "keptn-cp", "/api/v1/namespaces/keptn/persistentvolumeclaims"
        )
        found = await pods(lab, "keptn-cp", "keptn")
        seen = await events(lab, "keptn-cp", "keptn")
    claim = next(c for c in claims if c["metadata"]["name"] == "keptn-mongo")
    assert claim["status"]["phase"] == "Pending"
    assert found["keptn-mongo"]["status"]["phase"] == "Pending"
    assert any(r == reason and phrase in m for r, m in seen)
    assert any("unbound immediate PersistentVolumeClaims" in m for _, m in seen)


async def test_without_its_database_the_api_answers_500_and_the_token_is_still_checked() -> None:
    scenario = loads(
        "title: t\ncontrol-plane: {cluster: {workloads: {keptn-mongo: {replicas: 0}}}}"
    )
    async with start(scenario) as lab:
        url = f"{lab.endpoint}/controlPlane/v1/uniform/registration"
        listing = await ask(lab, url, token=lab.api_token)
        metadata = await ask(lab, f"{lab.endpoint}/v1/metadata", token=lab.api_token)
        refused = await ask(lab, url)
    assert (listing.status_code, metadata.status_code, refused.status_code) == (500, 200, 401)


async def test_a_scaled_down_component_empties_its_service() -> None:
    scenario = loads(
        "title: t\ncontrol-plane: {cluster: {workloads: {shipyard-controller: {replicas: 0}}}}"
    )
    async with start(scenario) as lab:
        answer = await ask(
            lab, f"{lab.endpoint}/controlPlane/v1/uniform/registration", token=lab.api_token
        )
        endpoints = await listed(lab, "keptn-cp", "/api/v1/namespaces/keptn/endpoints")
        found = await pods(lab, "keptn-cp", "keptn")
    assert answer.status_code == 502
    shipyard = next(e for e in endpoints if e["metadata"]["name"] == "shipyard-controller")
    assert not shipyard.get("subsets")
    assert "shipyard-controller" not in found


@pytest.mark.parametrize(("version", "status"), [("1.1.0", 500), ("1.2.0", 429)])
async def test_a_dead_api_service_is_masked_as_the_gateway_of_its_version_does(
    version: str, status: int
) -> None:
    scenario = loads(
        f"title: t\nkeptn: {version}\n"
        "control-plane: {cluster: {workloads: {api-service: {containers: {api-service: {}}}}}}"
    )
    async with start(scenario) as lab:
        url = f"{lab.endpoint}/controlPlane/v1/uniform/registration"
        masked = await ask(lab, url, token=lab.api_token)
        plain = await ask(lab, f"{lab.endpoint}/v1/metadata", token=lab.api_token)
    assert (masked.status_code, plain.status_code) == (status, 502)


async def test_a_missing_upstream_service_keeps_the_gateway_from_starting() -> None:
    scenario = loads(
        "title: t\ncontrol-plane: "
        "{cluster: {objects: [{remove: Service keptn/statistics-service}]}}"
    )
    async with start(scenario) as lab:
        pod = (await pods(lab, "keptn-cp", "keptn"))["api-gateway-nginx"]
        text = await log_of(lab, "keptn-cp", "keptn", pod["metadata"]["name"])
        with pytest.raises(ConnectionRefusedError):
            await ask(lab, f"{lab.endpoint}/v1/metadata", token=lab.api_token)
    assert '[emerg] 1#1: host not found in upstream "statistics-service"' in text
    waiting = container(pod, "api-gateway-nginx")["state"]["waiting"]
    assert waiting["reason"] == "CrashLoopBackOff"


async def test_broken_cluster_dns_breaks_the_gateway() -> None:
    scenario = loads("title: t\ncontrol-plane: {cluster: {cluster-dns: down}}")
    async with start(scenario) as lab:
        system = await pods(lab, "keptn-cp", "kube-system")
        pod = (await pods(lab, "keptn-cp", "keptn"))["api-gateway-nginx"]
    assert container(system["coredns"], "coredns")["ready"] is False
    assert container(pod, "api-gateway-nginx")["ready"] is False


async def test_init_containers_wait_for_what_never_came_up() -> None:
    scenario = loads(
        "title: t\nkeptn: 1.4.5\n"
        "control-plane: {cluster: {storage: {provisioning: missing, "
        "unbound-claims: [keptn-nats*]}}}"
    )
    async with start(scenario) as lab:
        pod = (await pods(lab, "keptn-cp", "keptn"))["api-service"]
        name = pod["metadata"]["name"]
        text = await log_of(lab, "keptn-cp", "keptn", name, container="wait-for-nats")
    first = pod["status"]["initContainerStatuses"][0]
    assert first["name"] == "wait-for-nats"
    assert "running" in first["state"]
    assert "waiting for http://keptn-nats:8222" in text


async def test_parts_that_were_not_installed_are_absent_with_their_services() -> None:
    scenario = loads(
        "title: t\nkeptn: 0.13.6\ncontrol-plane: {cluster: {workloads: "
        "{keptn-mongo: {absent: true}, keptn-nats-cluster: {absent: true}}}}"
    )
    async with start(scenario) as lab:
        found = await pods(lab, "keptn-cp", "keptn")
    assert "keptn-mongo" not in found
    shipyard = container(found["shipyard-controller"], "shipyard-controller")
    assert shipyard["state"]["waiting"]["reason"] == "CrashLoopBackOff"


async def test_a_container_killed_for_memory_says_so() -> None:
    scenario = loads(
        """
        title: t
        execution-planes:
          exec-a:
            cluster:
              workloads:
                jmeter-service:
                  containers:
                    jmeter-service:
                      {fault: out-of-memory, every: 10m, restarts: 7, ready-now: true}
        """
    )
    async with start(scenario) as lab:
        pod = (await pods(lab, "exec-a", "keptn-exec"))["jmeter-service"]
    state = container(pod, "jmeter-service")
    assert state["restartCount"] == 7
    assert state["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert state["lastState"]["terminated"]["exitCode"] == 137
    assert state["ready"] is True


async def test_a_change_that_hits_nothing_is_refused() -> None:
    scenario = loads(
        "title: t\ncontrol-plane: {cluster: {objects: [{remove: Service keptn/nothing}]}}"
    )
    with pytest.raises(ScenarioError, match="nothing matches 'Service keptn/nothing'"):
        async with start(scenario):
            pass


async def test_derived_objects_can_be_changed_too() -> None:
    scenario = loads(
        """
        title: t
        control-plane:
          cluster:
            objects:
              - patch: Pod keptn/bridge-*
                merge: {metadata: {annotations: {note: seen}}}
        """
    )
    async with start(scenario) as lab:
        pod = (await pods(lab, "keptn-cp", "keptn"))["bridge"]
    assert pod["metadata"]["annotations"] == {"note": "seen"}


async def test_an_object_of_an_operator_is_served() -> None:
    scenario = loads(
        """
        title: t
        control-plane:
          cluster:
            objects:
              - add:
                  apiVersion: security.istio.io/v1beta1
                  kind: PeerAuthentication
                  metadata: {name: default, namespace: keptn}
                  spec: {mtls: {mode: STRICT}}
        """
    )
    async with start(scenario) as lab:
        path = "/apis/security.istio.io/v1beta1/namespaces/keptn/peerauthentications"
        found = await listed(lab, "keptn-cp", path)
    assert found[0]["spec"]["mtls"]["mode"] == "STRICT"


async def test_an_evicted_pod_lies_beside_the_running_one() -> None:
    scenario = loads(
        "title: t\ncontrol-plane: {cluster: {workloads: {bridge: {evicted: true}}}}"
    )
    async with start(scenario) as lab:
        found = await listed(lab, "keptn-cp", "/api/v1/namespaces/keptn/pods")
    bridge = [p for p in found if p["metadata"]["name"].startswith("bridge-")]
    assert {p["status"]["phase"] for p in bridge} == {"Running", "Failed"}


@pytest.mark.parametrize(
    ("platform", "version", "label"),
    [
        ("k3s", "v1.24.2+k3s1", "node.kubernetes.io/instance-type"),
        ("gke", "v1.24.2-gke.600", "cloud.google.com/gke-nodepool"),
        ("minikube", "v1.24.2", "minikube.k8s.io/name"),
    ],
)
async def test_a_platform_shows_in_the_version_and_on_the_nodes(
    platform: str, version: str, label: str
) -> None:
    text = f"title: t\ncontrol-plane: {{cluster: {{platform: {platform}}}}}"
    async with start(loads(text)) as lab:
        async with kube(lab, "keptn-cp") as client:
            served = (await client.get("/version")).json()["gitVersion"]
        node = (await listed(lab, "keptn-cp", "/api/v1/nodes"))[0]
    assert served == version == node["status"]["nodeInfo"]["kubeletVersion"]
    assert label in node["metadata"]["labels"]


async def test_old_charts_on_openshift_have_pods_that_may_not_be_created() -> None:
    text = "title: t\nkeptn: 0.11.4\ncontrol-plane: {cluster: {platform: openshift}}"
    async with start(loads(text)) as lab:
        found = await pods(lab, "keptn-cp", "keptn")
    assert "api-gateway-nginx" not in found


async def test_a_pod_with_a_container_that_never_ran_is_pending() -> None:
    text = """
        title: t
        execution-planes:
          exec-a: {cluster: {unpullable: {"*/helm-service:*": not-found}}}
        """
    async with start(loads(text)) as lab:
        pod = (await pods(lab, "exec-a", "keptn-exec"))["helm-service"]
    assert pod["status"]["phase"] == "Pending"
    assert "running" in container(pod, "distributor")["state"]


@pytest.mark.parametrize(
    "kind", ["Deployment", "Service", "PersistentVolumeClaim", "StatefulSet", "Pod"]
)
async def test_odd_objects_are_served_as_they_are_and_break_nothing(kind: str) -> None:
    api = "apps/v1" if kind in {"Deployment", "StatefulSet"} else "v1"
    text = f"""
        title: t
        control-plane:
          cluster:
            objects:
              - add: {{apiVersion: {api}, kind: {kind}, spec: null, status: null,
                       metadata: {{name: odd, namespace: keptn, labels: null}}}}
                raw: true
        """
    async with start(loads(text)) as lab:
        prefix = "/apis/apps/v1" if api == "apps/v1" else "/api/v1"
        path = f"{prefix}/namespaces/keptn/{kind.lower()}s"
        found = {o["metadata"]["name"]: o for o in await listed(lab, "keptn-cp", path)}
    assert found["odd"]["spec"] is None
    assert len(found) > 1


async def test_a_workload_that_lost_its_spec_has_no_pods() -> None:
    text = """
        title: t
        control-plane:
          cluster: {objects: [{patch: Deployment keptn/bridge, merge: {spec: null}}]}
        """
    async with start(loads(text)) as lab:
        assert "bridge" not in await pods(lab, "keptn-cp", "keptn")


@pytest.mark.parametrize(
    ("workloads", "complaint"),
    [
        ("{api-servic: {replicas: 0}}", "there is no 'api-servic'; did you mean 'api-service'?"),
        (
            "{api-service: {containers: {api: {}}}}",
            "'api-service' has no container 'api'; there are api-service",
        ),
    ],
)
async def test_a_lever_for_what_does_not_exist_is_refused(
    workloads: str, complaint: str
) -> None:
    text = f"title: t\ncontrol-plane: {{cluster: {{workloads: {workloads}}}}}"
    with pytest.raises(ScenarioError) as caught:
        async with start(loads(text)):
            pass
    assert complaint in str(caught.value)
