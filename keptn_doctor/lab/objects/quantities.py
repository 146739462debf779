"""Kubernetes quantities as numbers: CPU in millicores, memory in bytes."""

from __future__ import annotations

import re

_FACTORS = {
    "": 1.0, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}  # fmt: skip
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]{0,2})")


def amount(text: object) -> float:
    """``64Mi`` in bytes, ``250m`` as 0.25; raises ValueError for what is no quantity."""
    matched = _QUANTITY.fullmatch(str(text))
    if matched is None or matched[2] not in _FACTORS:
        raise ValueError(f"not a quantity: {text!r}")
    return float(matched[1]) * _FACTORS[matched[2]]


def text_of(resource: str, value: float) -> str:
    """The way the API server writes an amount of a resource: ``250m``, ``544Mi``, ``3``."""
    if "memory" in resource or "storage" in resource:
        mebi = value / 2**20
        return f"{int(mebi)}Mi" if mebi == int(mebi) else str(int(value))
    return str(int(value)) if value == int(value) else f"{round(value * 1000)}m"
