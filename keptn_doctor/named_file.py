"""Reads what the user named as a file, whatever it is: bounded in size and in time.

``--kubeconfig <(command)`` names a pipe: it gives its content once, so that is kept for whoever
reads the name again. A pipe with nobody at its other end would be waited for without end; here it
is an error like a missing file. It knows nothing of formats.
"""

from __future__ import annotations

import errno
import functools
import os
import select
import stat
import time
from pathlib import Path

_ALONE_S = 5.0  # for somebody to open the other end of a pipe
_WHOLE_S = 60.0  # for all of its content
_PIECE = 65_536


def read_named(path: Path, *, most: int) -> bytes:
    """The content, no more than its first ``most`` bytes (one more than fits tells the excess).

    Raises:
        OSError: with the reason as ``strerror``.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        return _streamed(path, most)
    with path.open("rb") as file:
        return file.read(most)


@functools.cache
def _streamed(path: Path, most: int) -> bytes:
    # Opened without blocking: else opening a pipe would already wait for its other end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return _until_its_end(descriptor, most)
    finally:
        os.close(descriptor)


def _until_its_end(descriptor: int, most: int) -> bytes:
    content = b""
    begun, shared = time.monotonic(), False
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    while len(content) < most:
        left_s = begun + (_WHOLE_S if shared else _ALONE_S) - time.monotonic()
        known = ready.poll(max(left_s, 0) * 1000)
        try:
            piece = os.read(descriptor, min(_PIECE, most - len(content)))
        except BlockingIOError:  # somebody has the other end open and is not finished
            if left_s <= 0:
                raise _timeout("its writer did not finish", _WHOLE_S) from None
            shared = True
            continue
        if not piece:
            if not known and not shared:  # never opened by a writer; else poll tells of its leave
                raise _timeout("nobody writes into it", _ALONE_S)
            break
        content, shared = content + piece, True
    return content


def _timeout(what: str, limit_s: float) -> OSError:
    return OSError(errno.ETIMEDOUT, f"it is no file, and {what} within {limit_s:g} s")
