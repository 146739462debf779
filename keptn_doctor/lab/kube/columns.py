"""The printer columns of each kind (``pkg/printers/internalversion/printers.go``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from keptn_doctor.lab.kube.ages import age
from keptn_doctor.lab.kube.generation import Generation
from keptn_doctor.lab.kube.objects import Object, dig, metadata, name_of
from keptn_doctor.lab.kube.resources import Resource
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
    description: str = ""

    def cell(self, obj: Object, now: datetime) -> Any:
        return self.read(obj, now)

    def definition(self, generation: Generation) -> dict[str, Any]:
        description = self.description
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


NAME = Column(name="Name", read=lambda obj, _now: name_of(obj))
AGE = Column(name="Age", read=lambda obj, now: age(metadata(obj).get("creationTimestamp"), now))


def columns_of(resource: Resource, generation: Generation) -> tuple[Column, ...]:
    return (NAME, AGE)
