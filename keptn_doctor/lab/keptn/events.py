"""An event as Keptn carries and keeps it, and the parts of its type."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from keptn_doctor.lab.keptn.registrations import iso_ms

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PREFIX = ["sh", "keptn", "event"]
_TASK_PARTS, _SEQUENCE_PARTS = 5, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event with ``data`` as it was sent."""

    id: str
    type: str
    source: str
    time: datetime
    context: str
    triggered_id: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def project(self) -> str:
        return str(self.data.get("project") or "")

    @property
    def stage(self) -> str:
        return str(self.data.get("stage") or "")

    @property
    def service(self) -> str:
        return str(self.data.get("service") or "")

    @property
    def kind(self) -> str:
        """The last part of the type: triggered, started, finished, invalidated..."""
        return self.type.rpartition(".")[2]

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts between ``sh.keptn.event`` and the kind.

        One for a task, stage and name for a sequence, none for any other type.
        """
        parts = self.type.split(".")
        if parts[:3] != _PREFIX or not all(parts):
            return ()
        return tuple(parts[3:-1]) if len(parts) in (_TASK_PARTS, _SEQUENCE_PARTS) else ()

    def shown(self) -> dict[str, Any]:
        """The event as KeptnContextExtendedCE."""
        shown: dict[str, Any] = {
            "contenttype": "application/json",
            "data": self.data,
            "id": self.id,
            "shkeptncontext": self.context,
            "shkeptnspecversion": "0.2.4",
            "source": self.source,
            "specversion": "1.0",
            "time": iso_ms(self.time),
            "type": self.type,
        }
        if self.triggered_id:
            shown["triggeredid"] = self.triggered_id
        return shown


def new_id() -> str:
    return str(uuid.uuid4())


def context_of(value: object) -> str:
    """``shkeptncontext`` as api-service makes it: kept when a UUID, hashed into one, or new."""
    text = str(value or "")
    if _UUID.fullmatch(text):
        return text
    return str(uuid.uuid5(uuid.NAMESPACE_OID, text)) if text else new_id()
