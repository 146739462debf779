"""Tells to which look the time of a request belongs, and in which phase it was spent.

The present account is a context variable: tasks that a look starts inherit it, so the code that
opens connections need not know for whom. Without an account nothing is kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Literal

from keptn_doctor.model.times import Spent
from keptn_doctor.probes.turns import Turns

Phase = Literal["waiting", "resolve", "connect", "tls", "http"]


class Account:
    """Seconds by phase, and requests; one for each look or search."""

    def __init__(self) -> None:
        self.seconds: dict[Phase, float] = dict.fromkeys(
            ("waiting", "resolve", "connect", "tls", "http"), 0.0
        )
        self.requests = 0

    def total(self) -> Spent:
        ms = {f"{phase}_ms": round(s * 1000, 1) for phase, s in self.seconds.items()}
        return Spent(**ms, requests=self.requests)


_present: ContextVar[Account | None] = ContextVar("account", default=None)


@contextmanager
def account(opened: Account) -> Iterator[None]:
    """What is spent inside goes to this account."""
    token = _present.set(opened)
    try:
        yield
    finally:
        _present.reset(token)


@contextmanager
def spending(phase: Phase) -> Iterator[None]:
    """Charge what this takes to a phase of the present account."""
    began = time.perf_counter()
    try:
        yield
    finally:
        present = _present.get()
        if present:
            present.seconds[phase] += time.perf_counter() - began


@asynccontextmanager
async def turn(limit: asyncio.Semaphore | Turns) -> AsyncIterator[None]:
    """Hold one of a limited number of places; waiting for it is charged as such."""
    with spending("waiting"):
        await limit.acquire()
    try:
        yield
    finally:
        limit.release()


@contextmanager
def request() -> Iterator[None]:
    """Charge what this takes to http, but for what connections took inside."""
    outer, own, began = _present.get(), Account(), time.perf_counter()
    try:
        with account(own):
            yield
    finally:
        if outer:
            took = time.perf_counter() - began
            own.seconds["http"] += max(0.0, took - sum(own.seconds.values()))
            outer.requests += 1
            for phase, seconds in own.seconds.items():
                outer.seconds[phase] += seconds
