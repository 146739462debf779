"""How many requests to all Kubernetes APIs together are at work at once: a bound over clusters.

A request costs this process a few milliseconds of processor time. Hundreds at a time are not
answered any sooner, but each of them so late that it runs out of time. So there are only so many
places, and the cluster that came first goes first: it is done while the last has hardly begun. The
very first, the control plane's, waits for none, since most looks hang on what it tells. A request
that only waits for its server costs nothing and does not keep its place, so a dead one holds
nobody up; and the time limit of a look does not run while it waits for a place, for that says
nothing of what it looks at. It knows no request and no server.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from keptn_doctor.probes.turns import RANK

AT_ONCE = 100
_PATIENCE_S = 0.1  # so long a place is kept while nothing comes
_BUSY_S = 0.01  # a timer that goes off so late tells of a process that has more to do than it can


class AtWork:
    """The places for the requests of one run."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._asked = 0

    async def begin(self, cluster: int) -> Place:
        """A place, which is to be ended; ``cluster`` counts from 0, which need not wait for one.

        Others wait, first by the rank of the look that asks (see ``turns``), then by their number.
        """
        if cluster == 0:
            self._free -= 1
        else:
            await self._wait(cluster)
        return Place(self._give_back)

    def _give_back(self) -> None:
        """Let the next one begin."""
        self._free += 1
        while self._free > 0 and self._waiting:
            *_, waiter = heapq.heappop(self._waiting)
            if not waiter.done():
                self._free -= 1
                waiter.set_result(None)

    async def _wait(self, cluster: int) -> None:
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked += 1
        heapq.heappush(self._waiting, (RANK.get(), cluster, self._asked, waiter))
        try:
            with standing_still():
                await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._give_back()
            raise


class _Limit:
    """A time limit that stands still while anything under it waits for a place."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout, self._waiting, self._left_s = timeout, 0, 0.0

    def stop(self) -> None:
        end = self._timeout.when()
        if not self._waiting and end is not None and not self._timeout.expired():
            self._left_s = end - asyncio.get_running_loop().time()
            self._timeout.reschedule(None)
        self._waiting += 1

    def go_on(self) -> None:
        self._waiting -= 1
        if not self._waiting and self._timeout.when() is None:
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._left_s)


_LIMIT: ContextVar[_Limit | None] = ContextVar("limit", default=None)


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """``asyncio.timeout``, for work that may have to wait for places; inner ones do not count."""
    async with asyncio.timeout(seconds) as timeout:
        token = _LIMIT.set(_Limit(timeout))
        try:
            yield
        finally:
            _LIMIT.reset(token)


@contextmanager
def standing_still() -> Iterator[None]:
    """The time limit around does not run meanwhile."""
    limit = _LIMIT.get()
    if limit is None:
        yield
        return
    limit.stop()
    try:
        yield
    finally:
        limit.go_on()


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
