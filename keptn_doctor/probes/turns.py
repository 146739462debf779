"""Who goes first where only so many requests may be in flight at one server.

Whoever has the lower rank; among equals, whoever came first. A semaphore would let a list that
merely completes the picture go before the log that decides a verdict.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

RANK: ContextVar[int] = ContextVar("rank", default=0)  # of the look that is under way


@contextmanager
def ranked(rank: int) -> Iterator[None]:
    """What is asked inside has this rank."""
    token = RANK.set(rank)
    try:
        yield
    finally:
        RANK.reset(token)


class Turns:
    """A number of places; a drop-in for ``asyncio.Semaphore``."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    async def acquire(self) -> None:
        """Take a place, now or when it is one's turn."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (RANK.get(), next(self._numbers), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()  # it came at the very moment at which nobody wanted it any more
            raise

    def release(self) -> None:
        """Give the place to the next in turn."""
        while self._waiting:
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
