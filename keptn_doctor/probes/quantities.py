"""Kubernetes quantities as integers: CPU in millicores, memory and storage in MiB.

Grammar: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

_QUANTITY = re.compile(r"^\s*([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)([eE][+-]?\d{1,3}|[A-Za-z]{0,2})\s*$")
_SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal("1e3"), "M": Decimal("1e6"), "G": Decimal("1e9"), "T": Decimal("1e12"),
    "P": Decimal("1e15"), "E": Decimal("1e18"),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40),
    "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip


def amount(text: str | float | None) -> Decimal | None:
    """The plain number behind a quantity; None for none and for what is no quantity."""
    found = _QUANTITY.match(str(text)) if text is not None else None
    if found is None:
        return None
    number, suffix = Decimal(found[1]), found[2]
    if suffix in _SUFFIXES:
        return number * _SUFFIXES[suffix]
    if suffix[:1] in {"e", "E"} and suffix[1:]:
        return number.scaleb(int(suffix[1:]))
    return None


def millicores(text: str | float | None) -> int | None:
    """CPU in millicores, rounded up."""
    value = amount(text)
    return None if value is None else math.ceil(value * 1000)


def mebibytes(text: str | float | None) -> int | None:
    """Memory or storage in MiB, rounded up."""
    value = amount(text)
    return None if value is None else math.ceil(value / 2**20)
