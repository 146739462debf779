"""Requests to many clusters share the places there are; a dead server takes nobody's."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing

import pytest

from keptn_doctor.probes.at_work import AtWork, Place, time_limit

pytestmark = pytest.mark.asyncio


def leaving(place: Place) -> closing[_Leaving]:
    return closing(_Leaving(place))


class _Leaving:
    def __init__(self, place: Place) -> None:
        self.close = place.end


async def test_no_more_are_at_work_than_there_are_places() -> None:
    places, busy, most = AtWork(at_once=3), 0, 0

    async def work() -> None:
        nonlocal busy, most
        with leaving(await places.begin(1)):
            busy += 1
            most = max(most, busy)
            for _ in range(3):
                await asyncio.sleep(0)
            busy -= 1

    await asyncio.gather(*(work() for _ in range(20)))
    assert most == 3


async def test_who_only_waits_for_an_answer_keeps_nobody_from_work() -> None:
    places, never = AtWork(at_once=2), asyncio.Event()

    async def dead() -> None:
        with leaving(await places.begin(1)):
            await never.wait()

    waiting = [asyncio.create_task(dead()) for _ in range(8)]
    try:
        async with asyncio.timeout(5):
            (await places.begin(cluster=9)).end()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_the_cluster_that_came_first_goes_first() -> None:
    places, order = AtWork(at_once=1), []

    async def work(cluster: int) -> None:
        with leaving(await places.begin(cluster)):
            order.append(cluster)
            await asyncio.sleep(0)

    await asyncio.gather(*(work(cluster) for cluster in (1, 4, 3, 2, 3, 2)))
    assert order == [1, 2, 2, 3, 3, 4]


async def test_the_first_cluster_waits_for_no_place_and_takes_one_from_the_others() -> None:
    places = AtWork(at_once=1)
    first = await places.begin(1)
    control_plane = await places.begin(0)
    first.end()
    waiting = asyncio.create_task(places.begin(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    control_plane.end()
    (await waiting).end()


async def test_a_place_is_not_given_up_while_this_process_is_too_busy_to_look() -> None:
    places, at_work, most = AtWork(at_once=2), 0, 0

    async def busy() -> None:
        nonlocal at_work, most
        with leaving(await places.begin(1)):
            at_work += 1
            most = max(most, at_work)
            for _ in range(3):
                time.sleep(0.06)  # noqa: ASYNC251 - what a processor-bound step does to the loop
                await asyncio.sleep(0)
            at_work -= 1

    await asyncio.gather(*(busy() for _ in range(6)))
    assert most == 2


async def test_a_waiter_that_is_cancelled_leaves_its_place_to_others() -> None:
    places = AtWork(at_once=1)
    first = await places.begin(1)
    waiting = asyncio.create_task(places.begin(1))
    await asyncio.sleep(0)
    first.end()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5):
        (await places.begin(1)).end()


async def test_a_time_limit_stands_still_while_its_work_waits_for_a_place() -> None:
    places = AtWork(at_once=1)
    first = await places.begin(1)

    async def look() -> None:
        async with time_limit(0.05):
            (await places.begin(1)).end()

    late = asyncio.create_task(look())
    for _ in range(3):
        time.sleep(0.06)  # noqa: ASYNC251 - a process that is too busy to give a place up
        await asyncio.sleep(0)
    first.end()
    await late


async def test_a_time_limit_goes_on_once_there_is_a_place() -> None:
    places = AtWork(at_once=1)

    async def look() -> None:
        async with time_limit(0.05):
            await places.begin(1)
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await look()
