"""The way in, for ``python -m keptn_doctor`` and the installed command alike.

Importing the command line takes a tenth of a second. Who presses Ctrl-C meanwhile ends the process
as any program ends that has not begun; Python's own answer would be a traceback.
"""

from __future__ import annotations

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; ``keptn_doctor.cli`` takes the signals over."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from keptn_doctor.cli import main as command_line  # noqa: PLC0415

    command_line()


if __name__ == "__main__":
    main()
