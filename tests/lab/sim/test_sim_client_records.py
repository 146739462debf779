"""Which record in the uniform a simulated client has, shares, loses and gets back."""

from __future__ import annotations

import pytest
from client_traces import age, records
from sim_worlds import (
    client,
    pod,
    texts,
    world,
)

from keptn_doctor.lab.settings import (
    DeletedRegistration,
    EditedSubscriptions,
    RegistrationSettings,
    SubscriptionSettings,
)
from keptn_doctor.lab.simulation import Simulation

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("control_plane", "nodes", "count"),
    [
        ("0.8.7", ("n1", "n2"), 1),
        ("0.13.6", ("n1", "n2"), 2),
        ("0.13.6", ("n1", "n1"), 1),
        ("0.16.2", ("n1", "n2"), 1),
        ("1.4.5", ("n1", "n2"), 1),
    ],
)
async def test_two_planes_share_a_record_by_the_rule_of_the_version(control_plane, nodes, count):
    first = client(control_plane, nodes=(nodes[0],), running_for_s=8000, env={"STAGE_FILTER": ""})
    second = client(control_plane, plane="exec-b", nodes=(nodes[1],))
    async with Simulation(world(control_plane, second, first)) as lab:
        assert len(records(lab)) == count
        ids = {pod(lab, 0).integration_id, pod(lab, 1).integration_id}
        assert len(ids) == count


async def test_the_first_registrant_decides_the_subscriptions_of_a_shared_record():
    dev = client("0.18.0", running_for_s=9000, env={"STAGE_FILTER": "dev"})
    prod = client("0.18.0", plane="exec-b", env={"STAGE_FILTER": "prod"})
    async with Simulation(world("1.4.5", prod, dev)) as lab:
        assert {s.stages for s in records(lab)[0].subscriptions} == {("dev",)}
        assert {s.stages for s in pod(lab, 0).phases[-1].calls.subscriptions} == {("dev",)}


async def test_filters_are_split_on_commas_and_not_trimmed():
    filtered = client("0.18.0", env={"STAGE_FILTER": "dev, prod"})
    async with Simulation(world("1.4.5", filtered)) as lab:
        assert records(lab)[0].subscriptions[0].stages == ("dev", " prod")


async def test_a_later_change_of_topics_does_not_reach_an_existing_record():
    old = RegistrationSettings(
        name="helm-service",
        node="node-1",
        seen_ago_s=7300,
        subscriptions=(SubscriptionSettings(event="sh.keptn.event.old.triggered"),),
    )
    async with Simulation(world("1.4.5", client("0.18.0"), keptn={"registrations": (old,)})) as lab:
        assert [s.event for s in records(lab)[0].subscriptions] == ["sh.keptn.event.old.triggered"]
        assert list(pod(lab).phases[-1].calls.polls)  # and that is what is polled
        polls = [t for _, t in lab.gateways["keptn"].log if "/event/triggered/" in t]
        assert polls
        assert all("sh.keptn.event.old.triggered" in t for t in polls)


async def test_a_client_whose_subscriptions_were_removed_only_pings():
    keptn = {"edited": (EditedSubscriptions(name="helm-service"),)}
    async with Simulation(world("1.4.5", client("0.18.0"), keptn=keptn)) as lab:
        assert records(lab)[0].subscriptions == ()
        lines = [t for _, t in lab.gateways["keptn"].log]
        assert any("/ping HTTP" in t for t in lines)
        assert not any("/event/triggered/" in t for t in lines)


DELETED = {"deleted": (DeletedRegistration(name="helm-service", ago_s=1000),)}


async def test_a_0_13_distributor_pings_a_lost_record_for_ever():
    async with Simulation(world("0.19.3", client("0.13.6"), keptn=DELETED)) as lab:
        run = pod(lab)
        lost = [
            t
            for t in texts(run)
            if "Could not send heart beat to Keptn's control plane: "
            "uniform integration not found" in t
        ]
        assert 95 <= len(lost) <= 101
        assert (run.container().restarts, records(lab)) == (0, [])


async def test_a_0_18_distributor_leaves_with_code_0_and_registers_again():
    async with Simulation(world("0.19.3", client("0.18.0"), keptn=DELETED)) as lab:
        run = pod(lab)
        assert run.container().restarts == 1
        assert (run.container().last.exit_code, run.container().last.reason) == (0, "Completed")
        before = [text for _, text in run.previous_log() or ()]
        assert any("(retry count: 10/10): uniform integration not found" in t for t in before)
        assert "Stop trying to send heart beat to control plane and exiting..." in before[-1]
        assert age(lab) <= 10.5


async def test_an_sdk_client_registers_again_after_its_record_is_gone():
    sdk = client("0.20.4", client="sdk")
    async with Simulation(world("0.19.3", sdk, keptn=DELETED)) as lab:
        run = pod(lab)
        assert run.container().restarts == 1
        assert run.container().last.exit_code == 1
        before = [text for _, text in run.previous_log() or ()]
        assert before[-1].endswith(" <nil>")
        assert age(lab) <= 5.5


async def test_an_sdk_client_that_cannot_register_ends_at_once():
    sdk = client(
        "0.3.0",
        name="job-executor-service",
        client="sdk",
        token="wrong",
        product="job-executor-service",
    )
    async with Simulation(world("1.4.5", sdk)) as lab:
        run = pod(lab)
        assert run.container().state == "waiting"
        assert not run.container().ready
        assert texts(run)[-1].endswith(
            "could not register integration: unauthenticated or invalid credentials"
        )


@pytest.mark.parametrize(
    ("version", "restarts", "still_pinging"),
    [
        ("0.13.6", False, True),
        ("0.18.0", True, False),
    ],
)
async def test_a_link_that_broke_leaves_a_record_as_old_as_the_break(
    version, restarts, still_pinging
):
    lost = client(version, endpoint="http://203.0.113.99/api", connected_until_ago_s=3000)
    async with Simulation(world("1.4.5", lost)) as lab:
        assert 2985 <= age(lab) <= 3015
        run = pod(lab)
        assert (run.container().restarts > 0) == restarts
        failing = any("heart beat" in t for t in texts(run))
        assert failing == still_pinging
        if restarts:
            assert run.container().last.exit_code == 1
            assert any("could not start uniform watch" in t for t in texts(run))


async def test_a_rollout_starts_the_pods_at_the_time_of_the_change():
    rolled = client("0.18.0", token="wrong", connected_until_ago_s=600, changed_by="rollout")
    async with Simulation(world("1.4.5", rolled)) as lab:
        assert 595 <= age(lab) <= 615
        assert all(
            p.begin >= pod(lab).history.processes[0].begin for p in pod(lab).history.processes
        )
        assert pod(lab).container().restarts < 10


async def test_a_workload_that_was_stopped_leaves_its_record():
    gone = client("0.18.0", stopped_ago_s=3 * 3600, running_for_s=10 * 3600)
    async with Simulation(world("1.4.5", gone)) as lab:
        assert 3 * 3600 - 15 <= age(lab) <= 3 * 3600 + 15
        assert not pod(lab).is_alive()
