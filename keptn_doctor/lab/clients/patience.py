"""Time limits between parts of one process, of which a busy machine must make no slow network.

The simulated clients and whatever they talk to share an event loop. A limit by the clock alone
would end calls that were never given a chance to be answered. It is for the lab only: the doctor's
own limits go by the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_SLICE_S = 0.05
_TURNS = 50  # of the event loop, per slice: by far more than any exchange takes


async def patiently(call: Coroutine[Any, Any, T], limit_s: float) -> T:
    """Wait for a call that somebody in the same loop answers.

    Time is counted in slices, and each slice grants everybody else in the loop some turns: a stall
    of the whole process costs one slice only.

    Raises:
        TimeoutError: the other side had its chance and did not use it.
    """
    task = asyncio.ensure_future(call)
    try:
        for _ in range(int(limit_s / _SLICE_S) + 1):
            await asyncio.wait({task}, timeout=_SLICE_S)
            for _ in range(_TURNS):
                if task.done():
                    return task.result()
                await asyncio.sleep(0)
        raise TimeoutError
    finally:
        if not task.done():
            task.cancel()
