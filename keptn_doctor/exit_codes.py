"""The exit codes of keptn-doctor: one table for the command line, the reports and the docs."""

from __future__ import annotations

from typing import Final

CONNECTED: Final = 0
BROKEN: Final = 1
USAGE: Final = 2
UNKNOWN: Final = 3
DOCTOR_FAILED: Final = 4
INTERRUPTED: Final = 130

MEANINGS: Final[dict[int, str]] = {
    CONNECTED: "every Keptn service is connected",
    BROKEN: "something is disconnected or degraded",
    USAGE: "the command line, the configuration or a file it names is wrong; nothing was looked at",
    UNKNOWN: "nothing is proven wrong, but something is unknown",
    DOCTOR_FAILED: "keptn-doctor itself failed",
    INTERRUPTED: "interrupted; what was seen until then is in the report",
}


def meaning(code: int) -> str:
    """What an exit code says; a code that is not ours says so."""
    return MEANINGS.get(code, "not a code of keptn-doctor")
