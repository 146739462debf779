from __future__ import annotations

import pytest

from keptn_doctor.knowledge.components import (
    all_workloads,
    component_names,
    expected_components,
)


def names(version: str) -> set[str]:
    return {component.name for component in expected_components(version)}


@pytest.mark.parametrize(
    ("version", "there", "not_there"),
    [
        ("0.8.7", {"mongodb", "keptn-nats-cluster", "configuration-service"}, {"webhook-service"}),
        ("0.10.0", {"mongodb", "webhook-service"}, {"keptn-mongo"}),
        ("0.13.6", {"keptn-mongo", "keptn-nats-cluster", "configuration-service"}, {"keptn-nats"}),
        ("0.16.2", {"keptn-mongo", "keptn-nats", "resource-service"}, {"configuration-service"}),
        ("1.4.5", {"keptn-mongo", "keptn-nats", "resource-service"}, {"keptn-nats-cluster"}),
    ],
)
def test_names_that_moved_between_releases(
    version: str, there: set[str], not_there: set[str]
) -> None:
    assert there <= names(version)
    assert not names(version) & not_there
    assert {"api-gateway-nginx", "api-service", "shipyard-controller"} <= names(version)


@pytest.mark.parametrize("version", ["", "latest", "N/A"])
def test_an_unreadable_version_expects_nothing(version: str) -> None:
    assert expected_components(version) == ()


def test_a_newer_release_expects_what_the_last_listed_one_does() -> None:
    assert names("1.5.0") == names("1.4.5")


def test_a_release_expects_each_workload_once() -> None:
    for version in ("0.8.3", "0.9.1", "0.11.4", "0.15.1", "0.18.2", "1.0.0", "1.3.0"):
        listed = [component.name for component in expected_components(version)]
        assert len(listed) == len(set(listed)) >= 13, version


def test_the_event_path_is_not_optional_but_for_an_external_database() -> None:
    for component in expected_components("1.4.5"):
        if component.event_path and component.name != "keptn-mongo":
            assert not component.optional, component.name
    assert {c.name for c in expected_components("1.4.5") if c.optional} >= {
        "bridge", "statistics-service", "webhook-service", "keptn-mongo"
    }  # fmt: skip
    assert not next(c for c in expected_components("0.9.2") if c.name == "mongodb").optional


def test_every_listed_workload_is_known_by_name() -> None:
    assert {workload.name for workload in all_workloads()} == component_names()
