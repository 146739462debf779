"""What the known services do with a task, and with one that they have no files for."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from sim_deliveries import (
    CONTROL,
    PROJECT,
    QUICK,
    finished,
    make,
    post,
    shipyard,
    stored,
    told,
    trigger,
    until,
)
from sim_worlds import HOST, ask, client, world

from keptn_doctor.lab.settings import (
    ControlPlaneSettings,
    DnsRecord,
    DnsSettings,
    HopSettings,
    ListenerSettings,
    ProjectSettings,
    SimulationSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]
SHIPYARD = "shipyard-controller"
FUNCTIONAL = {"teststrategy": "functional"}
SILENCE_S = 0.25
JOB = (
    "apiVersion: v2\nactions:\n- name: echo\n  events: [{name: sh.keptn.event.TASK.triggered}]\n"
    "  tasks: [{name: say, image: alpine, cmd: [echo]}]\n"
)


def _of(does, task, *, version="0.18.0", **more):
    topics = {"PUBSUB_TOPIC": f"sh.keptn.event.{task}.triggered"}
    return client(version, name=f"my-{does}", does=does, env=topics, **more)


def _lab(one, version="1.4.5", **keptn):
    return Simulation(world(version, one, keptn={"delivery": QUICK, **keptn}))


async def _answers(lab, task, count, **data):
    """Kind, source and data of the answers to a task of a new project, ``count`` or more."""
    await make(lab, "1.4.5", text=shipyard(task))
    context = await trigger(lab, **data)
    return await _own(lab, context, count)


async def _own(lab, context, count):
    async def own():
        found = [e for e in await stored(lab, context) if e["source"] not in ("test", SHIPYARD)]
        return [(e["type"].rpartition(".")[2], e["source"], e["data"]) for e in found]

    await until(own, lambda found: len(found) >= count)
    await asyncio.sleep(SILENCE_S)  # for those that should not come
    return await own()


async def test_helm_without_a_chart_starts_and_fails():
    async with _lab(_of("helm-service", "deployment")) as lab:
        started, ended = await _answers(lab, "deployment", 2)
        assert started[:2] == ("started", "helm-service")
        assert ended[2]["status"] == "errored"
        assert "failed to load chart" in ended[2]["message"]


async def test_helm_says_nothing_of_an_action_that_it_does_not_know():
    async with _lab(_of("helm-service", "action")) as lab:
        assert await _answers(lab, "action", 0, action={"action": "restart"}) == []


async def test_jmeter_without_a_deployment_uri_says_nothing():
    async with _lab(_of("jmeter-service", "test")) as lab:
        assert await _answers(lab, "test", 0) == []


@pytest.mark.parametrize(
    ("url", "result"),
    [
        (f"http://{HOST}", "pass"),
        ("http://127.0.0.1:8080", "pass"),
        ("http://127.0.0.1:9999", "fail"),
        ("http://nowhere.example.com", "fail"),
    ],
)
async def test_jmeter_without_a_script_passes_if_the_uri_can_be_reached(url, result):
    async with _lab(_of("jmeter-service", "test")) as lab:
        deployment = {"deploymentURIsLocal": [url]}
        started, ended = await _answers(lab, "test", 2, deployment=deployment, test=FUNCTIONAL)
        assert started[:2] == ("started", "jmeter-service")
        assert (ended[2]["status"], ended[2]["result"]) == ("succeeded", result)


async def test_jmeter_does_not_survive_a_test_without_a_strategy():
    async with _lab(_of("jmeter-service", "test")) as lab:
        deployment = {"deploymentURIsLocal": [f"http://{HOST}"]}
        found = await _answers(lab, "test", 1, deployment=deployment)
        assert [kind for kind, _, _ in found] == ["started"]


async def test_job_executor_without_a_configuration_starts_nothing():
    one = _of("job-executor-service", "remote", version="0.3.0", client="sdk",
              product="job-executor-service")  # fmt: skip
    async with _lab(one) as lab:
        assert await _answers(lab, "remote", 0) == []


@pytest.mark.parametrize(
    ("task", "kinds"), [("remote", ["started", "finished"]), ("other", [])]
)
async def test_job_executor_runs_the_jobs_that_its_configuration_has_for_a_task(task, kinds):
    one = _of("job-executor-service", "remote", version="0.3.0", client="sdk",
              product="job-executor-service")  # fmt: skip
    async with _lab(one) as lab:
        await make(lab, "1.4.5", text=shipyard("remote"))
        await post(lab, f"{CONTROL}/project/{PROJECT}/service", {"serviceName": "svc"})
        content = base64.b64encode(JOB.replace("TASK", task).encode()).decode()
        resources = [{"resourceURI": "job/config.yaml", "resourceContent": content}]
        path = f"/api/resource-service/v1/project/{PROJECT}/stage/dev/service/svc/resource"
        sent = json.dumps({"resources": resources}).encode()
        assert (await ask(lab, path, method="POST", content=sent)).status_code == 201
        context = await trigger(lab)
        assert [kind for kind, _, _ in await _own(lab, context, len(kinds))] == kinds


async def test_a_failed_task_ends_its_sequence():
    async with _lab(_of("helm-service", "deployment")) as lab:
        await make(lab, "1.4.5", text=shipyard("deployment", "never"))
        found = await finished(lab, await trigger(lab))
        assert all("never" not in e["type"] for e in found)
        assert found[-1]["data"]["result"] == "fail"


async def test_a_service_beside_keptn_answers_over_nats():
    project = ProjectSettings(name=PROJECT, shipyard=shipyard("test"))
    near = client(
        "0.19.3", name="beside", plane="control-plane", endpoint="", token="",
        env={"PUBSUB_TOPIC": "sh.keptn.event.test.triggered"},
    )  # fmt: skip
    names = {"keptn-nats": "10.96.0.20", "shipyard-controller": "10.96.0.21"}
    settings = SimulationSettings(
        control_planes=(
            ControlPlaneSettings(
                version="0.19.3", token="lab-token", projects=(project,), delivery=QUICK
            ),
        ),
        listeners=(
            ListenerSettings(address="203.0.113.20", port=80),
            ListenerSettings(
                address="10.96.0.20", port=4222, hops=(HopSettings(behaviour="silent"),)
            ),
            ListenerSettings(address="10.96.0.21", port=8080, serves="keptn/shipyard-controller"),
        ),
        dns=DnsSettings(
            public=tuple(DnsRecord(name=name, values=(ip,)) for name, ip in names.items())
        ),
        clients=(near,),
    )
    async with Simulation(settings) as lab:
        found = told(await finished(lab, await trigger(lab)))
        assert ("test.finished", "beside") in found


@pytest.mark.parametrize(
    ("task", "data", "kinds"),
    [
        ("evaluation", {}, ["started", "finished"]),
        ("approval", {}, ["started"]),  # until somebody approves by hand
        ("approval", {"approval": {"pass": "automatic"}}, ["started", "finished"]),
    ],
)
async def test_keptns_own_services_do_their_tasks_beside_it(task, data, kinds):
    async with _lab(_of("custom", "other")) as lab:
        found = await _answers(lab, task, len(kinds), **data)
        assert [kind for kind, _, _ in found] == kinds


async def test_an_own_service_that_does_not_run_says_nothing():
    async with _lab(_of("custom", "other"), silent_services=("lighthouse-service",)) as lab:
        assert await _answers(lab, "evaluation", 0) == []
