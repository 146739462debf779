"""What keeps a pod from being made or prepared: accounts, ranges, volumes, init containers."""

from __future__ import annotations

import pytest
from world_lab import events, listed, pods

from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]

HEAD = "title: t\nexecution-planes:\n  exec-a:\n    cluster:\n"


async def test_a_pod_without_its_service_account_is_not_made() -> None:
    text = HEAD + "      objects: [{remove: ServiceAccount keptn-exec/helm-service}]\n"
    async with start(loads(text)) as lab:
        found = await pods(lab, "exec-a", "keptn-exec")
        seen = await events(lab, "exec-a", "keptn-exec")
    assert set(found) == {"jmeter-service"}
    assert any('serviceaccount "helm-service" not found' in message for _, message in seen)


@pytest.mark.parametrize("rule", ["max: {memory: 256Mi}", "min: {cpu: 80m}"])
async def test_a_limit_range_refuses_containers_outside_it(rule: str) -> None:
    text = HEAD + (
        "      objects:\n"
        "        - add:\n"
        "            apiVersion: v1\n"
        "            kind: LimitRange\n"
        "            metadata: {name: range, namespace: keptn-exec}\n"
        f"            spec: {{limits: [{{type: Container, {rule}}}]}}\n"
    )
    async with start(loads(text)) as lab:
        seen = await events(lab, "exec-a", "keptn-exec")
    assert any("usage per Container is" in message for _, message in seen)


async def test_a_volume_of_a_missing_secret_keeps_containers_from_being_made() -> None:
    text = HEAD + (
        "      objects:\n"
        "        - patch: Deployment keptn-exec/helm-service\n"
        "          merge: {spec: {template: {spec: {volumes: "
        "[{name: keys, secret: {secretName: gone}}]}}}}\n"
    )
    async with start(loads(text)) as lab:
        found = await pods(lab, "exec-a", "keptn-exec")
        seen = await events(lab, "exec-a", "keptn-exec")
    states = found["helm-service"]["status"]["containerStatuses"]
    assert {s["state"]["waiting"]["reason"] for s in states} == {"ContainerCreating"}
    assert any(reason == "FailedMount" and '"gone" not found' in text for reason, text in seen)


async def test_an_init_container_that_fails_keeps_the_others_waiting() -> None:
    text = HEAD + (
        "      objects:\n"
        "        - patch: Deployment keptn-exec/helm-service\n"
        "          merge: {spec: {template: {spec: {initContainers: [{name: first, image: i}]}}}}\n"
        "      workloads: {helm-service: {containers: {first: {fault: crash}}}}\n"
    )
    async with start(loads(text)) as lab:
        found = await pods(lab, "exec-a", "keptn-exec")
    status = found["helm-service"]["status"]
    assert status["initContainerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert {s["state"]["waiting"]["reason"] for s in status["containerStatuses"]} == {
        "PodInitializing"
    }


async def test_a_lost_claim_stays_lost() -> None:
    text = (
        "title: t\ncontrol-plane:\n  cluster:\n    objects:\n"
        '      - {patch: "PersistentVolumeClaim keptn/*mongo*", merge: {status: {phase: Lost}}}\n'
    )
    async with start(loads(text)) as lab:
        path = "/api/v1/namespaces/keptn/persistentvolumeclaims"
        claims = await listed(lab, "keptn-cp", path)
    assert {c["status"]["phase"] for c in claims if "mongo" in c["metadata"]["name"]} == {"Lost"}
