"""Two runs in lock step that the guards look at, each made once in a process."""

from __future__ import annotations

import asyncio
from functools import cache

from benchmarks.speed.lock_step import Stepped, in_lock_step
from benchmarks.speed.worlds import Size

SMALL = Size(planes=2, services=3)
LARGER = Size(planes=4, services=7, pods=800)  # the first planes have 2 services, as in SMALL


@cache
def run_in(size: Size) -> Stepped:
    return asyncio.run(in_lock_step(size))
