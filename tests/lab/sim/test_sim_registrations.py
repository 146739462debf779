"""The uniform of a control plane: identity and lifetime of registrations, by version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keptn_doctor.lab.keptn.registrations import (
    IncompleteIdentityError,
    Pulse,
    Registration,
    Uniform,
    of_earlier_days,
    own_services,
)
from keptn_doctor.lab.keptn.releases import release
from keptn_doctor.lab.settings import RegistrationSettings, SubscriptionSettings

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def _wanted(node: str = "n1", at: datetime = NOW, **more) -> Registration:
    settings = RegistrationSettings(name="helm-service", node=node, **more)
    made = of_earlier_days(settings, now=at)
    made.touched = at
    return made


def _uniform(version: str, ttl_s: float | None = None) -> Uniform:
    return Uniform(release(version), ttl_s=ttl_s)


@pytest.mark.parametrize(
    ("version", "records"),
    [("0.8.7", 1), ("0.9.0", 2), ("0.15.1", 2), ("0.16.0", 1), ("1.4.5", 1)],
)
def test_the_same_service_on_two_nodes_is_one_or_two_records(version, records):
    uniform = _uniform(version)
    first, new = uniform.register(_wanted("n1"), NOW)
    second, _ = uniform.register(_wanted("n2"), NOW)
    assert new
    assert len({first.id, second.id}) == records == len(uniform.alive(NOW))


def test_0_8_tells_services_apart_by_their_filters():
    uniform = _uniform("0.8.7")
    dev, _ = uniform.register(_wanted(stage_filter="dev"), NOW)
    prod, _ = uniform.register(_wanted(stage_filter="prod"), NOW)
    assert dev.id != prod.id


def test_an_identity_needs_all_its_parts_from_0_9():
    with pytest.raises(IncompleteIdentityError):
        _uniform("0.9.0").register(_wanted(node=""), NOW)
    _uniform("0.8.7").register(_wanted(node=""), NOW)


@pytest.mark.parametrize(
    ("version", "updated"),
    [("0.9.2", False), ("0.12.3", True), ("0.13.1", False), ("0.13.2", True), ("1.4.5", True)],
)
def test_a_second_registration_updates_versions_in_some_releases(version, updated):
    uniform = _uniform(version)
    uniform.register(_wanted(integration_version="1"), NOW)
    record, _ = uniform.register(_wanted(integration_version="2"), NOW)
    assert (record.integration_version == "2") == updated


@pytest.mark.parametrize(
    ("version", "adopted"),
    [("0.16.0", False), ("0.16.2", True), ("0.18.0", False), ("1.0.0", True)],
)
def test_a_record_without_subscriptions_adopts_the_newcomers_in_some_releases(version, adopted):
    uniform = _uniform(version)
    uniform.register(_wanted(), NOW)
    wanted = _wanted(subscriptions=(SubscriptionSettings(event="sh.keptn.event.x.triggered"),))
    record, _ = uniform.register(wanted, NOW)
    assert bool(record.subscriptions) == adopted


@pytest.mark.parametrize(
    ("version", "ttl_s", "age_s", "alive"),
    [
        ("0.8.6", None, 10 * 86_400, True),
        ("0.8.7", None, 150, True),
        ("0.8.7", None, 300, False),
        ("0.9.0", None, 40 * 3600, True),
        ("1.4.5", None, 50 * 3600, False),
        ("1.4.5", 120, 300, False),
    ],
)
def test_a_record_lives_as_long_as_the_version_lets_it(version, ttl_s, age_s, alive):
    uniform = _uniform(version, ttl_s)
    uniform.register(_wanted(at=NOW), NOW)
    assert bool(uniform.alive(NOW + timedelta(seconds=age_s))) == alive


def test_lastseen_is_shown_from_0_8_7_and_subscriptions_from_0_9():
    for version, lastseen, subscriptions, old in (
        ("0.8.6", False, False, True),
        ("0.8.7", True, False, True),
        ("0.9.0", True, True, True),
        ("1.4.5", True, True, False),
    ):
        uniform = _uniform(version)
        record, _ = uniform.register(_wanted(), NOW)
        shown = uniform.shown(record, NOW)
        assert ("lastseen" in shown["metadata"]) == lastseen
        assert ("subscriptions" in shown) == subscriptions
        assert ("subscription" in shown) == old


def test_a_frozen_store_shows_nothing_newer_than_the_failure():
    uniform = _uniform("1.4.5")
    record, _ = uniform.register(_wanted(), NOW)
    record.pulses.append(Pulse(begin=NOW, period_s=10))
    uniform.frozen_at = NOW + timedelta(minutes=1)
    shown = uniform.shown(record, NOW + timedelta(hours=1))
    assert shown["metadata"]["lastseen"] == "2024-05-01T12:01:00.000Z"


def test_each_version_registers_its_own_services():
    assert [r.name for r in own_services((0, 9, 2))] == [
        "approval-service",
        "lighthouse-service",
        "remediation-service",
    ]
    assert "webhook-service" in [r.name for r in own_services((0, 10, 0))]


@given(
    period=st.floats(1, 600), seconds=st.floats(0, 10_000), lives=st.none() | st.floats(0, 10_000)
)
def test_the_last_beat_is_never_late_and_never_older_than_a_period(period, seconds, lives):
    end = None if lives is None else NOW + timedelta(seconds=lives)
    at = NOW + timedelta(seconds=seconds)
    beat = Pulse(begin=NOW, period_s=period, end=end).latest(at)
    assert beat is not None
    until = at if end is None else min(at, end)
    slack = timedelta(milliseconds=1)
    assert NOW <= beat <= until + slack
    assert until - beat < timedelta(seconds=period) + slack
