"""A stand-in for a run: looks for ever, cleans up, and says what became of both.

Arguments: how it takes being cancelled ("willing" or "stubborn"), and the clean-up's seconds.
"""

from __future__ import annotations

import asyncio
import sys

from keptn_doctor.signals import Interruption, clean_up, run_until_stopped


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def look(temper: str) -> None:
    say("looking")
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            say("cancelled")
            if temper == "willing":
                raise


async def remove(seconds: float) -> None:
    say("removing")
    await asyncio.sleep(seconds)
    say("removed")


async def main(temper: str, seconds: float) -> None:
    interruption = Interruption()
    with interruption.watching():
        finished = await run_until_stopped(look(temper), interruption, unwind_s=30)
        cleaned = await clean_up(lambda: remove(seconds), limit_s=2)
    say(f"report finished={finished} cleaned={cleaned}")


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main(sys.argv[1], float(sys.argv[2])))
