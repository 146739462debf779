"""Durations as ``kubectl get`` shows them (``apimachinery/pkg/util/duration.HumanDuration``)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from keptn_doctor.lab.kube.objects import moment_of


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def human_duration(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def age(text: Any, now: datetime) -> str:
    """The age of a timestamp, ``<unknown>`` without one."""
    then = moment_of(text)
    return "<unknown>" if then is None else human_duration(now - then)
