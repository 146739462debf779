"""A value that must not be seen: no repr, str, format, pickle or encoder gives it away.

It exists so that a token can travel from an option or a kubeconfig to the one place that puts it
into a header, and so that everything else sees a salted fingerprint. It refuses to be serialised.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NoReturn

_FINGERPRINT_HEX = 16


def fingerprint(value: str | bytes, salt: bytes) -> str:
    """16 hex digits that are equal for equal values under one salt; "" for an empty value."""
    if not value:
        return ""
    raw = value.encode() if isinstance(value, str) else value
    return hmac.new(salt, raw, hashlib.sha256).hexdigest()[:_FINGERPRINT_HEX]


class Secret:
    """One secret string; ``reveal`` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: for a request header or a file descriptor, never for output."""
        return self._value

    def fingerprint(self, salt: bytes) -> str:
        """See ``fingerprint``."""
        return fingerprint(self._value, salt)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never serialised")
