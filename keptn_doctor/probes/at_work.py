"""How many requests to all Kubernetes APIs together are at work at once: a bound over clusters.

A request costs this process a few milliseconds of processor time. Hundreds at a time are not
answered any sooner, but each of them so late that it runs out of time. So there are only so many
places, and the cluster that came first goes first: it is done while the last has hardly begun. A
request that only waits for its server costs nothing and does not keep its place, so a dead server
holds nobody up. It knows no request and no server.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from keptn_doctor.probes.turns import RANK

AT_ONCE = 40
_PATIENCE_S = 0.1  # so long a place is kept while nothing comes
_BUSY_S = 0.01  # a timer that goes off so late tells of a process that has more to do than it can


class AtWork:
    """The places for the requests of one run."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._asked = 0

    async def begin(self, cluster: int = 0) -> Place:
        """Wait for a place, which is to be ended; ``cluster`` counts from the first to be opened.

        Before that counts the rank of the look that asks (see ``turns``).
        """
        await self._wait(cluster)
        return Place(self._give_back)

    def _give_back(self) -> None:
        """Let the next one begin."""
        self._free += 1
        while self._free and self._waiting:
            *_, waiter = heapq.heappop(self._waiting)
            if not waiter.done():
                self._free -= 1
                waiter.set_result(None)

    async def _wait(self, cluster: int) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked += 1
        heapq.heappush(self._waiting, (RANK.get(), cluster, self._asked, waiter))
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._give_back()
            raise


class Place:
    """One place; it ends by itself when nothing comes, unless that is the fault of this process."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back
        self._loop = asyncio.get_running_loop()
        self._timer = self._later()

    def _later(self) -> asyncio.TimerHandle:
        return self._loop.call_later(_PATIENCE_S, self._waited)

    def _waited(self) -> None:
        if self._loop.time() - self._timer.when() > _BUSY_S:
            self._timer = self._later()
        else:
            self.end()

    def end(self) -> None:
        """Leave it to the next; more than once does no harm."""
        self._timer.cancel()
        if self._give_back is not None:
            give_back, self._give_back = self._give_back, None
            give_back()
