"""An event's way through a simulated Keptn: project, sequence, task, answer, and what is left."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from sim_deliveries import (
    CONTROL,
    PROJECT,
    QUICK,
    finished,
    make,
    opened,
    post,
    quick,
    sequence,
    service,
    shipyard,
    stored,
    told,
    trigger,
    until,
)
from sim_worlds import ADDRESS, ask, pod, texts, world

from keptn_doctor.lab.settings import (
    BackendSettings,
    EditedSubscriptions,
    EgressSettings,
    EventSettings,
    HopSettings,
    ListenerSettings,
    PlaneNetworkSettings,
    ProjectSettings,
    SequenceSettings,
    ServiceContainerSettings,
    StoreSettings,
    SubscriptionSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]
VERSIONS = ("0.8.7", "0.9.0", "0.13.6", "0.16.2", "0.19.3", "1.4.5")
SILENCE_S = 0.25  # twenty-five polls of the services here


def _world(version, *clients, delivery=QUICK, **keptn):
    return world(version, *clients, keptn={"delivery": delivery, **keptn})


async def _silent(lab, context, *, after):
    """What is stored when ``after`` events have come and a service had time for many more."""
    await until(lambda: stored(lab, context), lambda found: len(found) >= after)
    await asyncio.sleep(SILENCE_S)
    return told(await stored(lab, context))


async def _delete(lab, project=PROJECT):
    return await ask(lab, f"{CONTROL}/project/{project}", method="DELETE")


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_task_is_answered_and_its_project_leaves_nothing_behind(version):
    async with Simulation(_world(version, service(version))) as lab:
        assert (await make(lab, version)).status_code == 201
        context = await trigger(lab)
        assert told(await finished(lab, context)) == [
            ("dev.try.triggered", "test"),
            ("test.triggered", "shipyard-controller"),
            ("test.started", "my-service"),
            ("test.finished", "my-service"),
            ("dev.try.finished", "shipyard-controller"),
        ]
        assert await opened(lab) == []
        assert (await sequence(lab, context))["state"] == "finished"
        assert (await _delete(lab)).status_code == 200
        assert lab.keptn.left_of(PROJECT) == {}


async def test_an_sdk_service_answers_too():
    async with Simulation(_world("1.4.5", service("0.20.4", client="sdk"))) as lab:
        await make(lab, "1.4.5")
        found = told(await finished(lab, await trigger(lab)))
        assert ("test.finished", "my-service") in found


# --- who gets an event


@pytest.mark.parametrize(
    ("version", "kind", "kept"),
    [
        ("0.15.1", "sh.keptn.log.error", True),
        ("0.16.0", "sh.keptn.log.error", False),
        ("0.15.1", "sh.keptn.events.problem", True),
        ("0.16.0", "sh.keptn.events.problem", False),
        ("0.16.0", "sh.keptn.event.x.invalidated", True),
        ("0.13.6", "com.example.event", False),
    ],
)
async def test_the_datastore_gets_what_its_versions_subject_matches(version, kind, kept):
    async with Simulation(world(version)) as lab:
        event = {"type": kind, "source": "s", "data": {}}
        answer = await post(lab, "/api/v1/event", event)
        assert answer.status_code == 200
        assert (await stored(lab, answer.json()["keptnContext"]) != []) == kept


async def test_a_deaf_datastore_knows_nothing_of_a_sequence_that_runs_to_its_end():
    deaf = StoreSettings(unmapped_events_lost=True)
    async with Simulation(_world("1.4.5", service("0.18.0"), store=deaf)) as lab:
        await make(lab, "1.4.5")
        context = await trigger(lab)
        state = await until(
            lambda: sequence(lab, context), lambda s: s.get("state") == "finished"
        )
        assert (state["state"], await stored(lab, context)) == ("finished", [])


async def test_a_slow_datastore_has_an_event_later():
    async with Simulation(_world("1.4.5", delivery=quick(datastore_delay_s=0.3))) as lab:
        event = {"type": "sh.keptn.event.x.invalidated", "source": "s", "data": {}}
        context = (await post(lab, "/api/v1/event", event)).json()["keptnContext"]
        assert await stored(lab, context) == []
        assert await until(lambda: stored(lab, context), bool)


@pytest.mark.parametrize(
    "keptn",
    [
        {"delivery": quick(controller="deaf")},
        {"store": StoreSettings(nats="full")},
        {"backends": (BackendSettings(component="shipyard-controller", state="hang", every=99),)},
    ],
)
async def test_a_controller_that_gets_no_event_starts_nothing(keptn):
    project = ProjectSettings(name=PROJECT, shipyard=shipyard("test"))
    settings = _world("1.4.5", service("0.18.0"), projects=(project,), **keptn)
    async with Simulation(settings) as lab:
        context = await trigger(lab)
        assert await _silent(lab, context, after=1) == [("dev.try.triggered", "test")]


# --- sequences


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("0.9.0", None),
        ("0.9.1", "could not start sequence nothing"),
        ("0.11.4", "Unable to start sequence nothing"),
        ("1.4.5", "Unable to start sequence nothing"),
    ],
)
async def test_an_unknown_sequence_is_answered_from_0_9_1_on(version, message):
    async with Simulation(_world(version)) as lab:
        context = await trigger(lab, sequence="nothing", project="sockshop")
        last = (await stored(lab, context))[-1]
        if message is None:
            assert last["type"].endswith(".triggered")
            assert "could not start sequence" in lab.keptn.controller.log[-1][2]
            return
        assert (last["data"]["status"], last["data"]["result"]) == ("errored", "fail")
        assert last["data"]["message"].startswith(message)
        state = await sequence(lab, context, project="sockshop")
        assert state["stages"][0]["latestFailedEvent"]["type"] == last["type"]


@pytest.mark.parametrize("version", ["0.8.7", "0.13.6", "1.4.5"])
async def test_a_project_that_does_not_exist_has_no_shipyard_and_can_be_deleted(version):
    async with Simulation(_world(version)) as lab:
        context = await trigger(lab, project="never-made")
        last = (await stored(lab, context))[-1]
        assert (last["type"], last["data"]["status"]) == (
            "sh.keptn.event.dev.try.finished", "errored",
        )  # fmt: skip
        assert lab.keptn.left_of("never-made")["never-made"] == 2
        assert (await _delete(lab, "never-made")).status_code == 200
        assert lab.keptn.left_of("never-made") == {}


@pytest.mark.parametrize(
    "fault",
    [
        {"projects": (ProjectSettings(name=PROJECT, upstream="credentials"),)},
        {
            "projects": (ProjectSettings(name=PROJECT, shipyard=shipyard("test")),),
            "backends": (BackendSettings(component="resource-service", state="down"),),
        },
        {"projects": (ProjectSettings(name=PROJECT, shipyard="spec: nothing"),)},
    ],
)
async def test_an_unreadable_shipyard_ends_a_sequence_before_it_starts(fault):
    async with Simulation(_world("1.4.5", **fault)) as lab:
        context = await trigger(lab)
        last = (await finished(lab, context))[-1]
        assert last["data"]["message"].startswith("Unable to retrieve Shipyard file: ")


async def test_a_stuck_dispatcher_leaves_a_sequence_where_it_is():
    async with Simulation(
        _world("1.4.5", service("0.18.0"), delivery=quick(dispatcher="stuck"))
    ) as lab:
        await make(lab, "1.4.5")
        context = await trigger(lab)
        assert await _silent(lab, context, after=1) == [("dev.try.triggered", "test")]
        assert (await sequence(lab, context))["state"] == "triggered"


async def test_a_sequence_waits_for_another_of_its_stage_and_service():
    busy = SequenceSettings(project=PROJECT, stage="dev", service="svc", state="started")
    project = ProjectSettings(name=PROJECT, shipyard=shipyard("test"))
    settings = _world("1.4.5", service("0.18.0"), projects=(project,), sequences=(busy,))
    async with Simulation(settings) as lab:
        context = await trigger(lab)
        state = await until(
            lambda: sequence(lab, context), lambda s: s.get("state") == "waiting"
        )
        assert state["state"] == "waiting"
        assert await opened(lab) == []


async def test_the_sequence_after_a_good_one_is_triggered_in_the_next_stage():
    text = shipyard("test") + (
        "    - name: prod\n      sequences:\n        - name: try\n          triggeredOn:\n"
        "            - event: dev.try.finished\n          tasks:\n            - name: test\n"
    )
    async with Simulation(_world("0.19.3", service("0.18.0"))) as lab:
        await make(lab, "0.19.3", text=text)
        context = await trigger(lab, extra={"kept": 1})
        found = await until(
            lambda: stored(lab, context),
            lambda events: any(e["type"].endswith("prod.try.finished") for e in events),
        )
        last = [e for e in found if e["type"].endswith("test.triggered")][-1]
        assert (last["data"]["stage"], last["data"]["extra"]) == ("prod", {"kept": 1})


async def test_a_task_that_nobody_starts_times_out_and_stays_open():
    silent = service("0.18.0", service=ServiceContainerSettings(sends_events=False))
    async with Simulation(
        _world("1.4.5", silent, delivery=quick(started_within_s=0.1))
    ) as lab:
        await make(lab, "1.4.5")
        context = await trigger(lab)
        last = (await finished(lab, context))[-1]
        assert "timed out" in last["data"]["message"]
        assert (await sequence(lab, context))["state"] == "timedOut"
        assert len(await opened(lab)) == 1


# --- services


async def test_a_service_that_hangs_starts_and_never_finishes():
    hangs = service("0.18.0", service=ServiceContainerSettings(task="hangs"))
    async with Simulation(_world("1.4.5", hangs)) as lab:
        await make(lab, "1.4.5")
        context = await trigger(lab)
        assert (await _silent(lab, context, after=3))[-1] == ("test.started", "my-service")
        assert (await sequence(lab, context))["state"] == "started"
        assert len(await opened(lab)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"service": ServiceContainerSettings(sends_events=False)},
        {"token": "wrong"},
        {"env": {"PROJECT_FILTER": "another"}},
        {"env": {"STAGE_FILTER": "prod, dev"}},
        {"env": {"PUBSUB_TOPIC": "sh.keptn.event.other.triggered"}},
        {"env": {"DISABLE_REGISTRATION": "true"}},
        {"stopped_ago_s": 60.0},
    ],
)
async def test_a_service_that_hears_nothing_or_does_nothing_is_silent(changes):
    async with Simulation(_world("1.4.5", service("0.18.0", **changes))) as lab:
        await make(lab, "1.4.5")
        context = await trigger(lab)
        assert await _silent(lab, context, after=2) == [
            ("dev.try.triggered", "test"),
            ("test.triggered", "shipyard-controller"),
        ]


async def test_a_service_behind_a_firewall_is_silent():
    plane = PlaneNetworkSettings(vantage="exec-a", egress=(EgressSettings(default="drop"),))
    settings = world(
        "1.4.5", service("0.18.0"), planes=(plane,), keptn={"delivery": QUICK}
    )
    async with Simulation(settings) as lab:
        await make(lab, "1.4.5")
        assert len(await _silent(lab, await trigger(lab), after=2)) == 2


async def test_without_its_main_container_a_distributor_says_that_it_cannot_deliver():
    alone = service("0.18.0", service=ServiceContainerSettings(listens_on=0))
    async with Simulation(_world("1.4.5", alone)) as lab:
        await make(lab, "1.4.5")
        assert len(await _silent(lab, await trigger(lab), after=2)) == 2

        async def failed():
            return [t for t in texts(pod(lab)) if "failed: Post" in t]

        assert len(await until(failed, lambda lines: len(lines) > 1)) > 1  # at each poll once more


async def test_an_edited_subscription_is_what_counts():
    heard = SubscriptionSettings(event="sh.keptn.event.test.triggered", stages=("dev",))
    edited = (EditedSubscriptions(name="my-service", subscriptions=(heard,)),)
    other = service("0.18.0", env={"PUBSUB_TOPIC": "sh.keptn.event.other.triggered"})
    async with Simulation(_world("1.4.5", other, edited=edited)) as lab:
        await make(lab, "1.4.5")
        found = told(await finished(lab, await trigger(lab)))
        assert ("test.finished", "my-service") in found


async def test_two_planes_with_the_same_task_both_answer():
    first = service("0.18.0", name="here", plane="exec-a")
    second = service("0.18.0", name="there", plane="exec-b")
    async with Simulation(_world("1.4.5", first, second)) as lab:
        await make(lab, "1.4.5")
        context = await trigger(lab)
        found = told(
            await until(
                lambda: stored(lab, context),
                lambda events: sum("test.finished" in e["type"] for e in events) == 2,
            )
        )
        assert {source for kind, source in found if kind == "test.finished"} == {"here", "there"}
        assert sum(kind == "dev.try.finished" for kind, _ in found) == 1


async def test_every_replica_of_a_service_answers_with_the_same_source():
    twice = service("0.18.0", nodes=("node-1", "node-2"))
    async with Simulation(_world("1.4.5", twice)) as lab:
        await make(lab, "1.4.5")
        context = await trigger(lab)
        found = await until(
            lambda: stored(lab, context),
            lambda events: sum("test.started" in e["type"] for e in events) == 2,
        )
        assert {e["source"] for e in found if "test.started" in e["type"]} == {"my-service"}


@pytest.mark.parametrize(("validation", "arrived"), [(True, 0), (False, 2)])
async def test_an_answer_without_its_trigger_is_refused_by_validation_and_else_ignored(
    validation, arrived
):
    bad = service("0.18.0", service=ServiceContainerSettings(event_fields_missing=("triggeredid",)))
    async with Simulation(_world("1.4.5", bad, event_validation=validation)) as lab:
        await make(lab, "1.4.5")
        found = await _silent(lab, await trigger(lab), after=2 + arrived)
        assert sum(source == "my-service" for _, source in found) == arrived
        assert len(await opened(lab)) == 1


@pytest.mark.parametrize(
    ("keptn", "client_version"),
    [
        ({"event_validation": True, "delivery": quick(max_event_size_kb=4)}, "0.16.2"),
        ({"body_limit": 4096}, "0.16.2"),
        ({}, "0.18.0"),  # the distributor's own 64 kB
    ],
)
async def test_an_answer_that_is_too_large_never_arrives(keptn, client_version):
    large = service(client_version, service=ServiceContainerSettings(resource_bytes=70_000))
    async with Simulation(_world("1.4.5", large, **keptn)) as lab:
        await make(lab, "1.4.5")
        found = await _silent(lab, await trigger(lab), after=3)
        assert found[-1] == ("test.started", "my-service")
        assert any("request body too large" in t or "forward" in t for t in texts(pod(lab)))


@pytest.mark.parametrize(("version", "seen"), [("0.16.2", True), ("0.17.1", False)])
async def test_events_of_the_future_are_kept_back_from_0_17_on(version, seen):
    ahead = _world(version, service(version), delivery=quick(clock_ahead_s=300))
    async with Simulation(ahead) as lab:
        await make(lab, version)
        context = await trigger(lab)
        found = await _silent(lab, context, after=5 if seen else 2)
        answered = ("test.finished", "my-service") in found
        assert answered == seen
        assert len(lab.keptn.controller.open) == (1 if seen else 2)


async def test_an_event_of_the_near_future_is_picked_up_when_its_time_has_come():
    ahead = _world("1.4.5", service("0.18.0"), delivery=quick(clock_ahead_s=0.5))
    async with Simulation(ahead) as lab:
        await make(lab, "1.4.5")
        found = told(await finished(lab, await trigger(lab)))
        assert ("test.finished", "my-service") in found


async def test_an_answer_after_the_project_is_gone_makes_its_collections_anew():
    hangs = service("0.18.0", service=ServiceContainerSettings(task="hangs"))
    async with Simulation(_world("1.4.5", hangs)) as lab:
        await make(lab, "1.4.5")
        context = await trigger(lab)
        started = (await until(lambda: stored(lab, context), lambda e: len(e) == 3))[-1]
        await _delete(lab)
        assert lab.keptn.left_of(PROJECT) == {}
        late = started | {"type": "sh.keptn.event.test.finished"}
        assert (await post(lab, "/api/v1/event", late)).status_code == 200
        left = {PROJECT: 1, f"{PROJECT}-rootEvents": 1, "contextToProject": 1}
        assert lab.keptn.left_of(PROJECT) == left
        await _delete(lab)
        assert lab.keptn.left_of(PROJECT) == {}


async def test_a_task_takes_its_time():
    slow = service("0.18.0", service=ServiceContainerSettings(takes_s=0.2))
    async with Simulation(_world("1.4.5", slow)) as lab:
        await make(lab, "1.4.5")
        found = await finished(lab, await trigger(lab))
        started, ended = (datetime.fromisoformat(found[i]["time"]) for i in (2, 3))
        assert (ended - started).total_seconds() >= 0.19


async def test_events_that_were_open_before_are_not_taken_up_again():
    old = EventSettings(type="sh.keptn.event.test.triggered", open=True, id="old", ago_s=3600)
    async with Simulation(_world("1.4.5", service("0.18.0"), events=(old,))) as lab:
        await make(lab, "1.4.5")
        await finished(lab, await trigger(lab))
        assert [e["id"] for e in await opened(lab)] == ["old"]


async def test_a_simulated_client_writes_by_itself_also_where_its_bytes_are_cut():
    slow = ListenerSettings(
        address=ADDRESS, port=80, hops=(HopSettings(vantage="exec-a", behaviour="cut"),)
    )
    settings = world(
        "1.4.5", service("0.18.0"), listeners=(slow,), keptn={"delivery": QUICK}
    )
    async with Simulation(settings) as lab:
        assert list(lab.writes) == []
