"""Progress on standard error: a moving line on a terminal, a few plain lines elsewhere.

Facts go to standard output, so nothing here ever writes there, and the moving line is gone before
the report is printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TextIO


class Progress(Protocol):
    """What a run tells while it is looking."""

    def stage(self, text: str) -> None:
        """A stage begins: "finding Keptn services"."""

    def look(self, probe: str, subject: str) -> None:
        """One look begins."""

    def close(self) -> None:
        """The run is over; leave the screen as it was."""


class Quiet:
    """Says nothing."""

    def stage(self, text: str) -> None:
        pass

    def look(self, probe: str, subject: str) -> None:
        pass

    def close(self) -> None:
        pass


class Lines:
    """One plain line per stage: for log files."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._looks = 0

    def stage(self, text: str) -> None:
        self._say(f"{text} ...")

    def look(self, probe: str, subject: str) -> None:  # noqa: ARG002 - counted, not shown
        self._looks += 1

    def close(self) -> None:
        if self._looks:
            self._say(f"{self._looks} looks in {self._clock() - self._began:.1f} s")

    def _say(self, text: str) -> None:
        print(f"keptn-doctor: {text}", file=self._stream, flush=True)


class Spinner:
    """One moving line with the stage, the number of looks and the newest of them."""

    def __init__(self, stream: TextIO, *, color: bool) -> None:
        from rich.console import Console  # noqa: PLC0415 - not on the way to --help

        self._console = Console(file=stream, no_color=not color, highlight=False, emoji=False)
        # A terminal that cannot show braille dots gets a line that turns.
        fine = "utf" in (stream.encoding or "").lower()
        self._status = self._console.status("", spinner="dots" if fine else "line")
        self._stage = ""
        self._looks = 0

    def stage(self, text: str) -> None:
        self._stage = text
        self._show("")
        self._status.start()

    def look(self, probe: str, subject: str) -> None:
        self._looks += 1
        self._show(f"{probe} {subject}")

    def close(self) -> None:
        self._status.stop()

    def _show(self, newest: str) -> None:
        from rich.text import Text  # noqa: PLC0415

        text = f"{self._stage}  {self._looks} looks  {newest}" if newest else self._stage
        room = self._console.width - 4
        self._status.update(Text(text[:room]))


def open_progress(stream: TextIO, *, quiet: bool, color: bool) -> Progress:
    """The kind of progress that suits ``stream``."""
    if quiet:
        return Quiet()
    return Spinner(stream, color=color) if stream.isatty() else Lines(stream)
