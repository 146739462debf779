"""Which task of which Keptn service a round trip uses: a harmless one that reaches it, or none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from keptn_doctor.model.keptn_facts import (
    Integration,
    IntegrationListing,
    Subscription,
)
from keptn_doctor.model.topology import ClientBehaviour, KeptnService
from keptn_doctor.probes.round_trip_choice import Choice, Refusal, choose
from keptn_doctor.probes.round_trip_project import git_fields
from keptn_doctor.probes.round_trip_settings import Upstream

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
JMETER = KeptnService(
    plane="eu", namespace="keptn-exec", name="jmeter-service",
    integration_name="jmeter-service", integration_namespace="keptn-exec",
)  # fmt: skip


def record(name: str, *tasks: str | Subscription, ago_s: float = 5, **fields: Any) -> Integration:
    subscriptions = tuple(
        task
        if isinstance(task, Subscription)
        else Subscription(event=f"sh.keptn.event.{task}.triggered")
        for task in tasks
    )
    named = {"id": f"id-{name}", "namespace": "keptn-exec", **fields}
    seen = NOW - timedelta(seconds=ago_s)
    return Integration(name=name, last_seen=seen, subscriptions=subscriptions, **named)


def chosen(*records: Integration, service: KeptnService = JMETER, **options: Any) -> Any:
    listing = IntegrationListing(integrations=records, server_time=NOW)
    return choose(service, listing, **options)


def test_a_test_of_jmeter_is_taken_as_harmless() -> None:
    found = chosen(record("jmeter-service", "test"))
    assert isinstance(found, Choice)
    assert (found.task, found.harmless, found.namesakes) == ("test", True, ())
    assert found.event == "sh.keptn.event.test.triggered"


@pytest.mark.parametrize(
    "task",
    ["deployment", "release", "rollback", "action", "get-action", "remediation", "scale-up",
     "restart-pods", "promotion", "delivery", "configure-monitoring", "canary-shift", "delete"],
)  # fmt: skip
def test_a_task_that_may_change_something_is_refused_unless_it_is_allowed(task: str) -> None:
    records = [record("jmeter-service", task)]
    refused = chosen(*records)
    assert isinstance(refused, Refusal)
    assert task in refused.reason
    assert "--allow-deploying" in refused.unlock
    allowed = chosen(*records, allow_deploying=True)
    assert isinstance(allowed, Choice)
    assert not allowed.harmless


def test_whatever_helm_service_subscribes_to_is_refused() -> None:
    helm = msgspec.structs.replace(JMETER, name="helm-service", integration_name="helm-service")
    assert isinstance(chosen(record("helm-service", "test"), service=helm), Refusal)


def test_another_subscriber_of_the_task_that_may_deploy_is_a_reason_to_refuse() -> None:
    records = [record("jmeter-service", "test"), record("argo-service", "test", id="b")]
    refused = chosen(*records)
    assert isinstance(refused, Refusal)
    assert refused.reason.startswith("argo-service would get its task test too")
    assert isinstance(chosen(*records, allow_deploying=True), Choice)


@pytest.mark.parametrize(
    "stranger",
    [
        Subscription(event="sh.keptn.event.test.triggered", projects=("sockshop",)),
        Subscription(event="sh.keptn.event.test.triggered", stages=("prod",)),
        Subscription(event="sh.keptn.event.deployment.triggered"),
    ],
)
def test_a_subscriber_that_does_not_get_the_task_is_no_reason(stranger: Subscription) -> None:
    assert isinstance(
        chosen(record("jmeter-service", "test"), record("argo-service", stranger, id="b")), Choice
    )


@pytest.mark.parametrize("event", ["sh.keptn.event.*.triggered", "sh.keptn.>"])
def test_a_subscriber_of_everything_gets_the_task_too(event: str) -> None:
    everything = record("argo-service", Subscription(event=event), id="b")
    assert isinstance(chosen(record("jmeter-service", "test"), everything), Refusal)


def test_a_dead_record_gets_nothing() -> None:
    dead = record("argo-service", "test", id="b", ago_s=86_400)
    assert isinstance(chosen(record("jmeter-service", "test"), dead), Choice)


def test_names_are_chosen_that_the_filters_let_through() -> None:
    event = "sh.keptn.event.test.triggered"
    found = chosen(
        record(
            "jmeter-service", Subscription(event=event, stages=(" x", "qa"), services=("carts",))
        )
    )
    assert (found.stage, found.service) == ("qa", "carts")


def test_among_several_names_one_is_chosen_that_reaches_nobody_else() -> None:
    event = "sh.keptn.event.test.triggered"
    found = chosen(
        record("jmeter-service", Subscription(event=event, stages=("qa", "dev"))),
        record("argo-service", Subscription(event=event, stages=("qa",)), id="b"),
    )
    assert found.stage == "dev"


def test_a_filter_to_projects_cannot_be_reached_and_says_so() -> None:
    event = "sh.keptn.event.test.triggered"
    found = chosen(record("jmeter-service", Subscription(event=event, projects=("sockshop",))))
    assert isinstance(found, Refusal)
    assert "project sockshop only" in found.reason
    assert found.unlock == "a subscription without a project filter"


def test_a_filter_that_nothing_can_match_is_refused() -> None:
    event = "sh.keptn.event.test.triggered"
    found = chosen(record("jmeter-service", Subscription(event=event, stages=(" prod",))))
    assert isinstance(found, Refusal)
    assert "nothing in Keptn can have" in found.reason


def test_without_a_registration_nothing_reaches_a_service_but_up_to_0_8() -> None:
    assert chosen().reason == "it is not registered, so no event reaches it"
    old = msgspec.structs.replace(
        JMETER,
        topics=("sh.keptn.event.test.triggered",),
        stage_filter=("qa", ""),
        behaviour=ClientBehaviour(polls_without_registration=True),
    )
    found = chosen(service=old)
    assert (found.task, found.stage) == ("test", "qa")


def test_a_registration_without_subscriptions_is_refused() -> None:
    assert chosen(record("jmeter-service")).reason.startswith("it subscribes to nothing")


def test_the_harmless_one_of_several_tasks_is_taken() -> None:
    found = chosen(record("jmeter-service", "release", "warm-up", "test"))
    assert found.task == "test"


def test_a_task_that_nobody_knows_is_taken_but_is_not_called_harmless() -> None:
    found = chosen(record("jmeter-service", "warm-up"))
    assert (found.task, found.harmless) == ("warm-up", False)


def test_who_else_answers_under_the_name_is_told() -> None:
    twin = record("jmeter-service", "test", id="twin", namespace="elsewhere")
    found = chosen(record("jmeter-service", "test"), twin)
    assert found.namesakes == ("elsewhere/jmeter-service",)
    seen = msgspec.structs.replace(JMETER, namesakes=("us/keptn-exec/jmeter-service",))
    found = chosen(record("jmeter-service", "test"), service=seen)
    assert found.namesakes == ("us/keptn-exec/jmeter-service",)


UPSTREAM = Upstream(url="https://git.example.com/x.git")


@pytest.mark.parametrize(
    ("version", "upstream", "fields"),
    [
        ("0.8.7", None, "none"), ("0.15.1", None, "none"), ("0.15.1", UPSTREAM, "none"),
        ("0.16.0", UPSTREAM, "flat"), ("0.16.2", UPSTREAM, "flat"), ("0.17.0", UPSTREAM, "nested"),
        ("0.18.0", UPSTREAM, "nested"), ("1.4.5", UPSTREAM, "nested"),
    ],
)  # fmt: skip
def test_each_version_gets_the_git_upstream_as_it_wants_it(
    version: str, upstream: Upstream | None, fields: str
) -> None:
    assert git_fields(version, upstream) == fields


@pytest.mark.parametrize("version", ["0.16.0", "0.17.2", "0.18.0", "1.0.0", "1.4.5"])
def test_without_an_upstream_a_version_that_wants_one_is_refused_or_provisions(
    version: str,
) -> None:
    refused = git_fields(version, None)
    assert isinstance(refused, Refusal)
    assert version in refused.reason
    assert git_fields(version, None, provided=True) == "none"


def test_an_unknown_version_is_refused() -> None:
    assert isinstance(git_fields("", UPSTREAM), Refusal)


def test_all_tasks_that_may_change_something_are_told_in_one() -> None:
    found = chosen(record("jmeter-service", "deployment", "release", "rollback"))
    assert found.reason.startswith("each of its tasks deployment, release and rollback may change")


def test_a_subscription_to_everything_is_no_task_that_could_be_sent() -> None:
    found = chosen(record("jmeter-service", Subscription(event="sh.keptn.>")))
    assert found.reason == "it subscribes to no event of a task, only to sh.keptn.>"
