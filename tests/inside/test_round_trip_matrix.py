"""Each level of round trip against each fault on its way: the leg that fails is the broken one.

Waiting is most of it, so the worlds of one table are alive side by side.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from trip_worlds import Level, Outcome, tried

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]

JMETER = "jmeter-service"
PROVIDED = "automatic-provisioning: true"
OK = ("", "")
_LIMITS_S: dict[Level, float] = {"datastore": 2.0, "controller": 2.0, "service": 5.0}
_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class World:
    """A fault, and for each level the leg that must break with the cause that must be named."""

    control_plane: str = ""  # further settings, in braces or not
    planes: str = ""
    version: str = "0.19.3"
    service: str = JMETER  # of plane exec-a, to which level service sends
    expected: dict[Level, tuple[str, str]] = field(default_factory=dict)
    degraded: str = "nobody"  # nobody, everybody, or jmeter: when its last trip was broken

    @property
    def scenario(self) -> str:
        control_plane = ", ".join(filter(None, (PROVIDED, self.control_plane)))
        planes = f"execution-planes: {{{self.planes}}}\n" if self.planes else ""
        return f"keptn: {self.version}\ncontrol-plane: {{{control_plane}}}\n{planes}"


ON_THE_CONTROL_PLANE = {
    "NATS does not answer": World(
        control_plane="store: {nats: down}",
        expected={
            "datastore": ("accepted", "event-not-accepted"),
            "controller": ("accepted", "event-not-accepted"),
            "service": ("accepted", "event-not-accepted"),
        },
        degraded="everybody",
    ),
    "NATS is scaled to zero": World(
        control_plane="cluster: {workloads: {keptn-nats: {replicas: 0}}}",
        expected={"datastore": ("accepted", "component-scaled-to-zero")},
        degraded="everybody",
    ),
    "datastore not subscribed": World(
        control_plane="store: {unmapped-events-lost: true}",
        expected={
            "datastore": ("stored", "event-lost-on-the-way"),
            "controller": ("stored", "event-lost-on-the-way"),
            "service": ("stored", "event-lost-on-the-way"),
        },
        degraded="everybody",
    ),
    "shipyard-controller not subscribed": World(
        control_plane="delivery: {controller: deaf}",
        expected={
            "datastore": OK,
            "controller": ("sequence-answered", "controller-does-not-answer"),
            "service": ("task-sent", "sequence-not-dispatched"),
        },
        degraded="everybody",
    ),
    "dispatcher stuck": World(
        control_plane="delivery: {dispatcher: stuck}",
        expected={
            "datastore": OK,
            "controller": OK,
            "service": ("task-sent", "sequence-not-dispatched"),
        },
        degraded="everybody",
    ),
    "the clock that stamps tasks is ahead": World(
        control_plane="delivery: {clock-ahead: 90s}",
        expected={
            "datastore": OK,
            "controller": OK,
            "service": ("picked-up", "events-dated-ahead"),
        },
        degraded="everybody",
    ),
    "the clock is ahead where nothing is hidden yet": World(
        control_plane="delivery: {clock-ahead: 90s}", version="0.16.2", expected={"service": OK}
    ),
}

AT_THE_SERVICE = {
    "never starts": World(
        planes=f"exec-a: {{services: {{{JMETER}: {{service: {{sends-events: false}}}}}}}}",
        expected={
            "datastore": OK,
            "controller": OK,
            "service": ("picked-up", "event-not-picked-up"),
        },
        degraded="jmeter",
    ),
    "starts and never finishes": World(
        planes=f"exec-a: {{services: {{{JMETER}: {{service: {{task: hangs}}}}}}}}",
        expected={"service": ("finished", "task-never-finished")},
        degraded="jmeter",
    ),
    "another one takes it": World(
        planes=f"exec-a: {{services: {{{JMETER}: {{service: {{sends-events: false}}}}, "
        "other-runner: {topics: sh.keptn.event.test.triggered}}}",
        expected={"service": ("picked-up", "event-taken-by-another")},
        degraded="jmeter",
    ),
    "its answers are refused by validation": World(
        control_plane="event-validation: true",
        planes=f"exec-a: {{services: {{{JMETER}: {{service: "
        "{event-fields-missing: [triggeredid]}}}}",
        expected={
            "datastore": OK,
            "controller": OK,
            "service": ("picked-up", "events-rejected-by-validation"),
        },
        degraded="jmeter",
    ),
    "a filter that nothing can pass": World(
        control_plane=f"edited-subscriptions: [{{name: {JMETER}, namespace: keptn-exec, "
        "subscriptions: [{event: sh.keptn.event.test.triggered, stages: [' dev']}]}]",
        expected={
            "datastore": ("", "filter-with-blank"),
            "service": ("refused", "filter-with-blank"),
        },
        degraded="jmeter",
    ),
    "two of one name take it": World(
        planes=f"exec-c: {{namespace: keptn-exec, services: {{{JMETER}: {{}}}}}}",
        expected={"service": ("picked-up unsure", "registration-shared")},
        degraded="jmeter",
    ),
    "no request of any size gets through": World(
        control_plane="gateway: {body-limit: 200}",
        expected={"datastore": ("accepted", "event-not-accepted")},
        degraded="everybody",
    ),
}  # fmt: skip

HEALTHY = {
    version: World(version=version, expected={"datastore": OK, "controller": OK, "service": OK})
    for version in ("0.13.6", "0.16.2", "0.19.3", "1.4.5")
} | {
    "0.8.7": World(
        version="0.8.7", expected={"datastore": OK, "controller": ("refused", ""), "service": OK}
    ),
    "a plane in NATS mode": World(
        planes="exec-a: {same-cluster-as: control-plane, namespace: keptn, services: "
        "{runner: {remote: false, topics: sh.keptn.event.smoke.triggered}}}",
        service="runner",
        expected={"service": OK},
    ),
}  # fmt: skip


async def _outcomes(world: World, at_once: asyncio.Semaphore) -> dict[Level, Outcome]:
    async with at_once, tried(world.scenario) as started:
        found: dict[Level, Outcome] = {}
        for level, (leg, _) in world.expected.items():
            limit_s = _LIMITS_S[level] if leg else 0.0
            name = f"exec-a/{world.service}" if level == "service" else ""
            found[level] = await started.send(level, service=name, limit_s=limit_s)
        return found


async def _all_outcomes(table: dict[str, World]) -> dict[str, dict[Level, Outcome]]:
    at_once = asyncio.Semaphore(_AT_ONCE)
    async with asyncio.TaskGroup() as group:
        running = {
            name: group.create_task(_outcomes(world, at_once)) for name, world in table.items()
        }
    return {name: task.result() for name, task in running.items()}


def _told(outcome: Outcome, expected: tuple[str, str]) -> tuple[str, str]:
    """The broken leg, and the expected cause when it was named, else all that were."""
    cause = expected[1]
    named = cause if cause in outcome.causes else " ".join(outcome.causes)
    return outcome.broken_at, named


def _degraded(outcome: Outcome) -> str:
    bad = {v.service for v in outcome.report.verdicts if v.connection != "connected"}
    if not bad:
        return "nobody"
    if len(bad) == len(outcome.report.verdicts):
        return "everybody"
    return "jmeter" if all(service.endswith(f"/{JMETER}") for service in bad) else " ".join(bad)


@pytest.mark.parametrize("table", [ON_THE_CONTROL_PLANE, AT_THE_SERVICE], ids=["plane", "service"])
async def test_the_leg_that_fails_is_the_one_that_was_broken(table: dict[str, World]) -> None:
    found = await _all_outcomes(table)

    expected = {(n, level): told for n, w in table.items() for level, told in w.expected.items()}
    assert {
        (name, level): _told(outcome, table[name].expected[level])
        for name, outcomes in found.items()
        for level, outcome in outcomes.items()
    } == expected
    assert {name: _degraded(list(outcomes.values())[-1]) for name, outcomes in found.items()} == {
        name: world.degraded for name, world in table.items()
    }


async def test_every_level_comes_back_in_healthy_worlds_of_every_age() -> None:
    found = await _all_outcomes(HEALTHY)

    assert {
        (name, level): _told(outcome, HEALTHY[name].expected[level])
        for name, outcomes in found.items()
        for level, outcome in outcomes.items()
    } == {(name, level): t for name, w in HEALTHY.items() for level, t in w.expected.items()}
    assert {_degraded(o) for outcomes in found.values() for o in outcomes.values()} == {"nobody"}
    assert {name: outcomes["service"].answered_by for name, outcomes in found.items()} == {
        name: (world.service,) for name, world in HEALTHY.items()
    }
