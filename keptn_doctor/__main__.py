"""The way in, for ``python -m keptn_doctor`` and the installed command alike.

Importing the command line takes a tenth of a second. Who presses Ctrl-C meanwhile ends the process
as any program ends that has not begun; Python's own answer would be a traceback.

The process is the doctor's own, and what holds for all of it is settled here, before anything else
is imported.
"""

from __future__ import annotations

import gc
import signal
import sys
from types import ModuleType
from typing import NoReturn, cast

# Objects that are made before Python looks for cycles among them. What a run makes is nearly all
# kept to its end (modules, then evidence), so looking after every 700 finds next to nothing; now
# some megabytes of garbage may wait. See docs/performance.md.
_YOUNG = 50_000


def main() -> NoReturn:
    """Run the command line; ``keptn_doctor.cli`` takes the signals over."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.set_threshold(_YOUNG)
    _do_without("httpx._main")
    from keptn_doctor.cli import main as command_line  # noqa: PLC0415

    try:
        command_line()
    finally:
        gc.freeze()  # or Python searches all that a run has kept for garbage once more, at its end


def _do_without(module: str) -> None:
    """Let a module count as not installed: ``None`` in ``sys.modules``, says Python's reference.

    httpx brings a command line of its own, provides for its absence, and else imports it always,
    with rich's progress bars and pygments: 40 ms before the first byte.
    """
    sys.modules.setdefault(module, cast(ModuleType, None))


if __name__ == "__main__":
    main()
