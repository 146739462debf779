"""The way into the lab: ``async with start(scenario) as lab``."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from keptn_doctor.lab.scenario import Scenario
from keptn_doctor.lab.simulation import wall_clock
from keptn_doctor.lab.world import Lab

# A simulated client may send what is no HTTP; that is the scenario's doing and no news.
logging.getLogger("aiohttp.server").addHandler(logging.NullHandler())


@contextlib.asynccontextmanager
async def start(
    scenario: Scenario, *, clock: Callable[[], datetime] = wall_clock
) -> AsyncIterator[Lab]:
    """Run a scenario's world on the loopback while entered.

    Everything is stopped and removed at the end, also after an error.

    Raises:
        ScenarioError: a lever contradicts another (the types were checked when it was read).
    """
    lab = Lab(scenario, clock=clock)
    try:
        await lab.open()
        yield lab
    finally:
        await lab.close()
