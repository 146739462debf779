"""The record of a printer column, and the way from a resource to its columns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from keptn_doctor.lab.kube.ages import age
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.objects import Object, dig, metadata, name_of
from keptn_doctor.model.base import Record

Cell = Callable[[Object, datetime], Any]

_NAMES = (
    "Name must be unique within a namespace. Is required when creating resources, although some "
    "resources may allow a client to request the generation of an appropriate name automatically. "
    "Name is primarily intended for creation idempotence and configuration definition. Cannot be "
    "updated. More info: "
)


class Column(Record, frozen=True, kw_only=True):
    """Title, type and how to read the cell; ``wide`` columns have priority 1."""

    name: str
    read: Cell
    type: str = "string"
    wide: bool = False

    def cell(self, obj: Object, now: datetime) -> Any:
        return self.read(obj, now)

    def definition(self, generation: Generation) -> dict[str, Any]:
        description = ""  # a real server copies the field's comment here; kubectl ignores it
        if self.name == "Name":
            description = _NAMES + (
                "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
                if generation.is_new
                else "http://kubernetes.io/docs/user-guide/identifiers#names"
            )
        return {
            "name": self.name,
            "type": self.type,
            "format": "name" if self.name == "Name" else "",
            "description": description,
            "priority": int(self.wide),
        }


def _created(obj: Object, now: datetime) -> str:
    return age(metadata(obj).get("creationTimestamp"), now)


NAME = Column(name="Name", read=lambda obj, _now: name_of(obj))
AGE = Column(name="Age", read=_created)
CREATED_AT = Column(
    name="Created At",
    read=lambda obj, _now: metadata(obj).get("creationTimestamp"),
    type="date",
)


def column(name: str, read: Callable[[Object], Any], *, wide: bool = False) -> Column:
    """A text column whose cell does not depend on the time."""
    return Column(name=name, read=lambda obj, _now: read(obj), wide=wide)


def number(name: str, *path: str) -> Column:
    """An integer column; a missing number is 0."""
    return Column(name=name, read=lambda obj, _now: _integer(dig(obj, *path)), type="integer")


def _integer(value: Any) -> int:
    return value if isinstance(value, int) else 0


def text(name: str, *path: str, missing: str = "", wide: bool = False) -> Column:
    """A column that shows one field."""

    def read(obj: Object, _now: datetime) -> str:
        value = dig(obj, *path)
        return missing if value is None or value == "" else str(value)

    return Column(name=name, read=read, wide=wide)


def labels_text(selector: Any) -> str:
    """A map of labels as ``a=b,c=d``, ``<none>`` when empty."""
    if not isinstance(selector, dict) or not selector:
        return "<none>"
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


def joined(values: list[Any], most: int = 0) -> str:
    """Values with commas, ``<none>`` when there are none; past ``most`` the rest is counted."""
    shown = [str(value) for value in values]
    if not shown:
        return "<none>"
    if most and len(shown) > most:
        return f"{','.join(shown[:most])} + {len(shown) - most} more..."
    return ",".join(shown)
