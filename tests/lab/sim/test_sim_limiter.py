"""The rate limit of authentication: who is limited by whom, at which version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sim_worlds import REGISTRATION, ask, client, pod, stopped_clock, texts, world

from keptn_doctor.lab.keptn.limiter import AuthLimiter, Load
from keptn_doctor.lab.settings import AuthLoad, PlaneNetworkSettings
from keptn_doctor.lab.simulation import Simulation

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def _answers(version, requests):
    limiter = AuthLimiter(version=version)
    return [
        limiter.check(key, NOW + timedelta(seconds=s), valid=valid) for key, s, valid in requests
    ]


def test_the_burst_is_two_and_one_comes_back_per_second():
    bad = [("a", s, False) for s in (0, 0.1, 0.2, 1.3)]
    assert _answers((1, 4, 5), bad) == [True, True, False, True]


def test_a_good_token_fills_the_bucket_unless_it_is_empty_already():
    assert _answers(
        (1, 4, 5),
        [("a", 0, False), ("a", 0.1, True), ("a", 0.2, False), ("a", 0.3, False), ("a", 0.4, True)],
    ) == [True, True, True, True, False]


def test_0_8_7_limits_bad_tokens_only():
    assert _answers(
        (0, 8, 7), [("a", 0, False), ("a", 0, False), ("a", 0, True), ("a", 0, False)]
    ) == [True, True, True, False]


def test_there_is_no_limit_before_0_8_7():
    assert _answers((0, 8, 6), [("a", 0, False)] * 5) == [True] * 5


def test_loads_are_replayed_when_somebody_looks():
    limiter = AuthLimiter(version=(1, 4, 5))
    limiter.loads.append(Load(key="a", begin=NOW - timedelta(hours=1), period_s=0.2))
    assert not limiter.check("a", NOW, valid=True)
    assert limiter.check("b", NOW, valid=True)


@pytest.mark.asyncio
@pytest.mark.parametrize(("version", "status"), [("1.1.0", 500), ("1.2.0", 429)])
async def test_a_limited_client_sees_the_mask_of_the_version(version, status):
    async with Simulation(world(version), clock=stopped_clock()) as lab:
        answers = [(await ask(lab, REGISTRATION, token="wrong")).status_code for _ in range(4)]
        assert answers[:2] == [401, 401]
        assert answers[2:] == [status, status]
        assert (await ask(lab, "/api/v1/auth")).status_code == 429


@pytest.mark.asyncio
async def test_a_neighbour_with_a_bad_token_disturbs_clients_behind_the_same_address():
    neighbour = {"auth_load": (AuthLoad(source="203.0.113.99", per_second=1.5),)}
    planes = (
        PlaneNetworkSettings(vantage="exec-a", nat_address="203.0.113.99"),
        PlaneNetworkSettings(vantage="exec-b", nat_address="203.0.113.98"),
    )
    clients = (client("0.18.0"), client("0.18.0", name="jmeter-service", plane="exec-b"))
    async with Simulation(world("1.4.5", *clients, planes=planes, keptn=neighbour)) as lab:
        near, far = pod(lab, 0), pod(lab, 1)
        assert any("too many requests" in t for t in texts(near))
        assert not any("too many requests" in t for t in texts(far))
        now = lab.clock()
        record = lab.keptn.uniform.get(near.integration_id, now)
        assert (now - record.last_seen(now)).total_seconds() < 120


@pytest.mark.asyncio
async def test_before_0_13_5_one_bad_token_disturbs_everybody():
    neighbour = {"auth_load": (AuthLoad(source="203.0.113.1", per_second=5),)}
    async with Simulation(world("0.13.4", client("0.13.1"), keptn=neighbour)) as lab:
        assert any("error with status code 500" in t for t in texts(pod(lab)))


@pytest.mark.asyncio
async def test_a_neighbour_behind_another_address_disturbs_nobody():
    neighbour = {"auth_load": (AuthLoad(source="203.0.113.1", per_second=5),)}
    async with Simulation(world("1.4.5", client("0.18.0"), keptn=neighbour)) as lab:
        assert not any("level=warning" in t for t in texts(pod(lab)))


@pytest.mark.asyncio
async def test_the_limit_can_be_switched_off():
    async with Simulation(world("1.4.5", keptn={"auth_limit_enabled": False})) as lab:
        answers = {(await ask(lab, REGISTRATION, token="wrong")).status_code for _ in range(5)}
        assert answers == {401}
