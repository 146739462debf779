"""Ctrl-C and TERM: the first one stops the looking, the second one stops waiting for it to stop.

Neither loses what was seen, and neither keeps what a run created in a cluster from being removed:
cleaning up happens after the work has stopped, with a time limit of its own. ``finally`` blocks
and shielded scopes were measured and lose the clean-up at the second signal; a loop's signal
handler does not. Nothing here exits or prints.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
UNWIND_S = 3.0
CLEAN_UP_S = 5.0
_FIRST = asyncio.FIRST_COMPLETED


class Interruption:
    """How often this run was told to stop; one object per run, used inside its event loop."""

    def __init__(self) -> None:
        self.count = 0
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()

    @contextmanager
    def watching(self) -> Iterator[Interruption]:
        """Take the two signals for as long as the context lasts.

        Afterwards they are ignored: what comes next is the report, which takes no time and must not
        be lost. ``interruptible`` lets them in again where a write may block.
        """
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._tell)
        try:
            yield self
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)

    def _tell(self) -> None:
        self.count += 1
        (self.stop if self.count == 1 else self.hurry).set()


@contextmanager
def interruptible() -> Iterator[None]:
    """Both signals raise KeyboardInterrupt here, for a write that may block."""
    before = [(number, signal.getsignal(number)) for number in SIGNALS]
    try:
        for number in SIGNALS:
            signal.signal(number, signal.default_int_handler)
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


async def run_until_stopped(
    work: Coroutine[Any, Any, object],
    interruption: Interruption,
    *,
    grace_s: float = 0.0,
    unwind_s: float = UNWIND_S,
) -> bool:
    """Run ``work`` to its end, or cancel it when told to stop; True when it came to its end.

    Work that watches ``interruption.stop`` itself gets ``grace_s`` seconds to end on its own. Then
    it is cancelled, gets ``unwind_s`` seconds, or until the second signal, and is left behind.
    What ``work`` raises by itself is raised here.
    """
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(interruption.stop.wait())
    hurried = asyncio.ensure_future(interruption.hurry.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=_FIRST)
        if grace_s and not task.done():
            await asyncio.wait({task, hurried}, timeout=grace_s, return_when=_FIRST)
        if not task.done():
            task.cancel()
            await asyncio.wait({task, hurried}, timeout=unwind_s, return_when=_FIRST)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task}, timeout=unwind_s)
        raise
    finally:
        stopped.cancel()
        hurried.cancel()
    if not task.done() or task.cancelled():
        return False
    if interruption.count and task.exception() is not None:
        return False  # it was told to stop while it was busy; what it says then is no bug
    task.result()
    return True


async def clean_up(removing: Callable[[], Awaitable[None]], *, limit_s: float = CLEAN_UP_S) -> bool:
    """Await ``removing()``, whatever signals come meanwhile; False when its time ran out."""
    task = asyncio.ensure_future(removing())
    done, _ = await asyncio.wait({task}, timeout=limit_s)
    if not done:
        task.cancel()
        return False
    task.result()
    return True
