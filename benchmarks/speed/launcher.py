"""Starts one command and measures it, from a process that is as small as a process can be.

The peak memory that the kernel tells of a process counts from that of the one that forked it, and
a benchmark that has read a large report is large. Called with the file for its figures, and the
command; what the command writes goes where its own output goes.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    figures, *command = sys.argv[1:]
    began = time.monotonic()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    ended = time.monotonic()
    measured = {
        "began": began, "ended": ended, "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024),
        "code": os.waitstatus_to_exitcode(status),
    }  # fmt: skip
    with open(figures, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is not small
        json.dump(measured, file)


if __name__ == "__main__":
    main()
