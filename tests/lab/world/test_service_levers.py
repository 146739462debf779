"""Levers of Keptn services and of Keptn itself, and what they change in the world."""

from __future__ import annotations

import base64
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from world_lab import ask, env_of, listed, log_of, pods

from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start
from keptn_doctor.lab.world import Lab

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]


def helm(levers: str, keptn: str = "0.16.2", rest: str = "") -> str:
    return (
        f"title: t\nkeptn: {keptn}\n"
        f"execution-planes: {{exec-a: {{services: {{helm-service: {{{levers}}}}}}}}}\n{rest}"
    )


def keptn(levers: str) -> str:
    return f"title: t\ncontrol-plane: {{{levers}}}"


async def deployment(lab: Lab, name: str = "helm-service") -> dict[str, Any]:
    path = "/apis/apps/v1/namespaces/keptn-exec/deployments"
    return next(d for d in await listed(lab, "exec-a", path) if d["metadata"]["name"] == name)


async def api(lab: Lab, path: str) -> Any:
    answer = await ask(lab, f"{lab.endpoint}{path}", token=lab.api_token)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def registrations(lab: Lab, name: str = "helm-service") -> list[dict[str, Any]]:
    found = await api(lab, "/controlPlane/v1/uniform/registration")
    return [record for record in found if record["name"] == name]


async def age_of(lab: Lab, name: str) -> float:
    answer = await ask(
        lab, f"{lab.endpoint}/controlPlane/v1/uniform/registration", token=lab.api_token
    )
    record = next(r for r in answer.json() if r["name"] == name)
    seen = datetime.fromisoformat(record["metadata"]["lastseen"])
    return (parsedate_to_datetime(answer.headers["date"]) - seen).total_seconds()


@pytest.mark.parametrize(
    ("levers", "variable", "value"),
    [
        ("endpoint: http://203.0.113.7/api", "KEPTN_API_ENDPOINT", "http://203.0.113.7/api"),
        ("token: a-token-of-mine", "KEPTN_API_TOKEN", "a-token-of-mine"),
        ("token: empty", "KEPTN_API_TOKEN", ""),
        ("ssl-verify: false", "HTTP_SSL_VERIFY", "false"),
        ("topics: sh.keptn.>", "PUBSUB_TOPIC", "sh.keptn.>"),
        ('stage-filter: "dev, prod"', "STAGE_FILTER", "dev, prod"),
        ("project-filter: sockshop", "PROJECT_FILTER", "sockshop"),
        ("service-filter: carts", "SERVICE_FILTER", "carts"),
        ("env: {HTTPS_PROXY: proxy}", "HTTPS_PROXY", "proxy"),
        ("env: {HTTP_SSL_VERIFY: null}", "HTTP_SSL_VERIFY", None),
        ("remote: false", "KEPTN_API_ENDPOINT", None),
    ],
)
async def test_a_lever_ends_in_the_environment(
    levers: str, variable: str, value: str | None
) -> None:
    async with start(loads(helm(levers))) as lab:
        assert env_of(await deployment(lab), "distributor").get(variable) == value


@pytest.mark.parametrize("name", ["current", "base64", "newline", "truncated", "old", "wrong"])
async def test_named_tokens_stand_in_their_relation_to_the_right_one(name: str) -> None:
    async with start(loads(helm(f"token: {name}"))) as lab:
        found = env_of(await deployment(lab), "distributor")["KEPTN_API_TOKEN"]
        right = lab.api_token
    relation = {
        "current": found == right,
        "base64": found == base64.b64encode(right.encode()).decode(),
        "newline": found == right + "\n",
        "truncated": found == right[:-1],
        "old": found != right and len(found) == len(right),
        "wrong": found != right and len(found) == len(right),
    }
    assert relation[name]


async def test_versions_end_in_the_images() -> None:
    async with start(loads(helm("version: 0.15.1, distributor: 0.14.3"))) as lab:
        spec = (await deployment(lab))["spec"]["template"]["spec"]
    images = {c["name"]: c["image"] for c in spec["containers"]}
    assert images == {
        "helm-service": "docker.io/keptn/helm-service:0.15.1",
        "distributor": "docker.io/keptn/distributor:0.14.3",
    }


async def test_a_service_may_use_the_sdk_instead_of_a_sidecar() -> None:
    text = helm("chart: custom, client: sdk, version: 0.20.4", keptn="1.4.5")
    async with start(loads(text)) as lab:
        pod = (await pods(lab, "exec-a", "keptn-exec"))["helm-service"]
        found = await registrations(lab)
    assert [c["name"] for c in pod["spec"]["containers"]] == ["helm-service"]
    assert len(found) == 1


async def test_an_override_of_the_name_is_what_is_registered() -> None:
    async with start(loads(helm("integration-name: dev-helm-service"))) as lab:
        assert await registrations(lab) == []
        assert len(await registrations(lab, "dev-helm-service")) == 1


async def test_a_service_may_live_in_another_namespace() -> None:
    async with start(loads(helm("namespace: elsewhere"))) as lab:
        record = (await registrations(lab))[0]
        assert set(await pods(lab, "exec-a", "elsewhere")) == {"helm-service"}
    assert record["metadata"]["kubernetesmetadata"]["namespace"] == "elsewhere"


async def test_replicas_are_so_many_pods() -> None:
    async with start(loads(helm("replicas: 2"))) as lab:
        found = await listed(lab, "exec-a", "/api/v1/namespaces/keptn-exec/pods")
    assert sum(p["metadata"]["name"].startswith("helm-service-") for p in found) == 2


async def test_a_stopped_service_leaves_its_registration_behind() -> None:
    async with start(loads(helm("replicas: 0, stopped-ago: 3h", rest="running-for: 2d"))) as lab:
        age = await age_of(lab, "helm-service")
        found = await pods(lab, "exec-a", "keptn-exec")
    assert abs(age - 3 * 3600) < 60
    assert "helm-service" not in found


async def test_a_service_that_lost_its_connection_restarts_and_grows_stale() -> None:
    text = helm("token: old, connected-until-ago: 50m, registered-before: true")
    async with start(loads(text)) as lab:
        age = await age_of(lab, "helm-service")
        pod = (await pods(lab, "exec-a", "keptn-exec"))["helm-service"]
    state = next(c for c in pod["status"]["containerStatuses"] if c["name"] == "distributor")
    assert abs(age - 50 * 60) < 60
    assert state["restartCount"] > 3
    assert state["lastState"]["terminated"]["exitCode"] == 1


async def test_an_old_distributor_carries_on_without_an_id() -> None:
    async with start(loads(helm("started-without-keptn: true", keptn="0.10.0"))) as lab:
        pod = (await pods(lab, "keptn-cp", "keptn"))["api-gateway-nginx"]["metadata"]["name"]
        text = await log_of(lab, "keptn-cp", "keptn", pod)
        assert await registrations(lab) == []
    assert "/uniform/registration//ping" in text


async def test_an_out_of_memory_kill_of_the_client_is_in_its_last_state() -> None:
    async with start(loads(helm("out-of-memory-every: 10m"))) as lab:
        pod = (await pods(lab, "exec-a", "keptn-exec"))["helm-service"]
    state = next(c for c in pod["status"]["containerStatuses"] if c["name"] == "distributor")
    assert state["lastState"]["terminated"]["reason"] == "OOMKilled"


async def test_pods_are_as_old_as_the_service_has_been_running() -> None:
    async with start(loads(helm("running-for: 5d"))) as lab:
        pod = (await pods(lab, "exec-a", "keptn-exec"))["helm-service"]
        now = lab.clock()
    born = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    assert abs((now - born).total_seconds() - 5 * 86_400) < 60


async def test_another_secret_may_hold_the_token_beside_a_leftover() -> None:
    text = keptn("token: {secret: my-token, leftover-secret: true}")
    async with start(loads(text)) as lab:
        found = await listed(lab, "keptn-cp", "/api/v1/namespaces/keptn/secrets")
        secrets = {
            s["metadata"]["name"]: base64.b64decode(s["data"]["keptn-api-token"]).decode()
            for s in found
            if "keptn-api-token" in s.get("data", {})
        }
        assert secrets["my-token"] == lab.api_token
        assert secrets["keptn-api-token"] != lab.api_token
        assert (await ask(lab, f"{lab.endpoint}/v1/metadata", token=lab.api_token)).is_success


async def test_an_api_service_that_was_not_restarted_knows_the_old_token() -> None:
    async with start(loads(keptn("token: {api-service: old}"))) as lab:
        answer = await ask(lab, f"{lab.endpoint}/v1/metadata", token=lab.api_token)
    assert answer.status_code == 401


async def test_the_secret_tells_when_and_by_whom_it_was_written() -> None:
    text = keptn("token: {changed-ago: 40m, changed-by: argocd-controller}")
    async with start(loads(text)) as lab:
        found = await listed(lab, "keptn-cp", "/api/v1/namespaces/keptn/secrets")
        now = lab.clock()
    token = next(s for s in found if s["metadata"]["name"] == "keptn-api-token")
    written = token["metadata"]["managedFields"][0]
    assert written["manager"] == "argocd-controller"
    age = now - datetime.fromisoformat(written["time"])
    assert abs(age.total_seconds() - 40 * 60) < 60


async def test_registrations_of_earlier_days_are_listed() -> None:
    text = keptn("registrations: [{name: old-service, seen-ago: 30h}]")
    async with start(loads(text)) as lab:
        assert abs(await age_of(lab, "old-service") - 30 * 3600) < 60


async def test_a_short_lifetime_removes_old_registrations() -> None:
    text = keptn("registration-ttl: 2m, registrations: [{name: old-service, seen-ago: 30m}]")
    async with start(loads(text)) as lab:
        assert await registrations(lab, "old-service") == []
        path = "/apis/apps/v1/namespaces/keptn/deployments"
        found = await listed(lab, "keptn-cp", path)
    shipyard = next(d for d in found if d["metadata"]["name"] == "shipyard-controller")
    assert env_of(shipyard, "shipyard-controller")["UNIFORM_INTEGRATION_TTL"] == "2m"


async def test_deleted_and_edited_registrations_meet_running_clients() -> None:
    text = """
        title: t
        keptn: 0.13.6
        control-plane:
          deleted-registrations: [{name: helm-service, ago: 20m}]
          edited-subscriptions: [{name: jmeter-service, subscriptions: []}]
        """
    async with start(loads(text)) as lab:
        assert await registrations(lab) == []
        jmeter = (await registrations(lab, "jmeter-service"))[0]
    assert not jmeter.get("subscriptions")


async def test_projects_and_events_are_offered() -> None:
    text = keptn(
        "projects: [{name: webshop, stages: [qa], services: [cart]}], "
        "events: [{type: sh.keptn.event.test.triggered, project: webshop, stage: qa, "
        "service: cart, open: true}]"
    )
    async with start(loads(text)) as lab:
        projects = await api(lab, "/controlPlane/v1/project")
        events = await api(
            lab, "/controlPlane/v1/event/triggered/sh.keptn.event.test.triggered"
        )
    assert [p["projectName"] for p in projects["projects"]] == ["webshop"]
    assert [e["data"]["project"] for e in events["events"]] == ["webshop"]


async def test_event_validation_is_in_the_environment_of_the_api_service() -> None:
    async with start(loads(keptn("event-validation: true"))) as lab:
        found = await listed(lab, "keptn-cp", "/apis/apps/v1/namespaces/keptn/deployments")
    service = next(d for d in found if d["metadata"]["name"] == "api-service")
    assert env_of(service, "api-service")["EVENT_VALIDATION_ENABLED"] == "true"


async def test_a_stale_upstream_is_younger_than_the_gateway() -> None:
    text = keptn("backends: [{component: shipyard-controller, state: stale-address}]")
    async with start(loads(text)) as lab:
        services = await listed(lab, "keptn-cp", "/api/v1/namespaces/keptn/services")
        gateway = (await pods(lab, "keptn-cp", "keptn"))["api-gateway-nginx"]
    shipyard = next(s for s in services if s["metadata"]["name"] == "shipyard-controller")
    born = shipyard["metadata"]["creationTimestamp"]
    assert born > gateway["metadata"]["creationTimestamp"]


async def test_another_installation_answers_at_its_own_address() -> None:
    text = """
        title: t
        dns: [{name: keptn-stage.example.com, values: [203.0.113.60]}]
        other-control-planes: [{name: staging, version: 0.16.2, token: current}]
        listeners: [{address: 203.0.113.60, port: 80, serves: staging}]
        """
    async with start(loads(text)) as lab:
        url = "http://keptn-stage.example.com/api/v1/metadata"
        answer = await ask(lab, url, token=lab.api_token)
    assert answer.json()["keptnversion"] == "0.16.2"


async def test_a_throttled_component_answers_most_of_the_time() -> None:
    text = keptn(
        "cluster: {workloads: {shipyard-controller: "
        "{containers: {shipyard-controller: {fault: throttled}}}}}"
    )
    async with start(loads(text)) as lab:
        backends = lab.simulation.settings.control_planes[0].backends
        pod = (await pods(lab, "keptn-cp", "keptn"))["shipyard-controller"]
    assert [(b.component, b.state, b.every) for b in backends] == [
        ("shipyard-controller", "hang", 4)
    ]
    assert pod["status"]["containerStatuses"][0]["ready"] is True
