"""Objects with nulls, gaps and wrong types anywhere cost neither a crash nor the report.

Answers of a healthy lab are recorded once, bent at places that hypothesis chooses, and looked at by
whole runs.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from typing import Any

import pytest
from honesty import CATALOGUE, assert_honest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replaying import Said, World, replayed, with_document

from keptn_doctor.doctor import examine, report_on
from keptn_doctor.lab.scenario import loads
from keptn_doctor.lab.start import start

pytestmark = pytest.mark.lab

ODD: tuple[Any, ...] = (
    None, 0, -1, 2**63, 1e300, True, "", "x" * 3000, [], {}, [None], [{}], [[]], {"": None},
    "true", "a/b", "http://[::1", "9999-99-99T99:99:99Z", "0001-01-01T00:00:00Z",
    "\x1b[31m\x00", "é\u202e", "$(reboot)",
)  # fmt: skip
EXAMPLES = 12


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture(scope="module")
def world(
    loop: asyncio.AbstractEventLoop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A recorded world; nothing reaches its lab any more when the tests begin."""
    folder = tmp_path_factory.mktemp("replay")
    ready: asyncio.Future[World] = loop.create_future()
    over = asyncio.Event()

    async def keep() -> None:
        async with start(loads("title: recorded")) as lab, replayed(lab, folder) as world:
            await examine(world.targets)
            world.close_upstream()
            ready.set_result(world)
            await over.wait()

    task = loop.create_task(keep())
    loop.run_until_complete(asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED))
    yield ready.result()
    over.set()
    loop.run_until_complete(task)


def bent(document: Any, changes: list[tuple[int, int]]) -> Any:
    """Each change picks a place by number, and what comes there; past the end it is taken away."""
    document = copy.deepcopy(document)
    for where, what in changes:
        places = list(_places(document))
        if places:
            container, key = places[where % len(places)]
            if what < len(ODD):
                container[key] = copy.deepcopy(ODD[what])
            else:
                del container[key]
    return document


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


CHANGES = st.lists(
    st.tuples(st.integers(0, 20_000), st.integers(0, len(ODD))), min_size=1, max_size=6
)


def test_the_recorded_world_is_seen_as_it_was(
    loop: asyncio.AbstractEventLoop, world: World
) -> None:
    report = report_on(loop.run_until_complete(examine(world.targets)), CATALOGUE)
    assert {v.service for v in report.verdicts} == {
        "exec-a/keptn-exec/helm-service", "exec-a/keptn-exec/jmeter-service",
        "exec-b/keptn-jes/job-executor-service",
    }  # fmt: skip


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(changes=CHANGES, every=st.integers(1, 3))
def test_no_odd_object_costs_the_report(
    loop: asyncio.AbstractEventLoop, world: World, changes: list[tuple[int, int]], every: int
) -> None:
    turn = 0

    def bend(_path: str, said: Said) -> Said:
        nonlocal turn
        turn += 1
        if not isinstance(said.document, dict | list) or turn % every:
            return said
        return with_document(said, bent(said.document, [(w + turn, x) for w, x in changes]))

    world.bend(bend)
    report = assert_honest(loop.run_until_complete(examine(world.targets)))
    assert report.exit_code in (0, 1, 3)
