"""The collections of mongodb-datastore: what it writes for an event, and how it is asked.

Nothing here is ever deleted by time. A project's collections go when its
``project.delete.finished`` comes by, and are made anew by any later event that names the project.
Source: ``mongodb-datastore/db/mongodb_event_repo.go @1.4.5``.
"""

from __future__ import annotations

from collections.abc import Iterable

from keptn_doctor.lab.keptn.events import Event
from keptn_doctor.lab.keptn.registrations import iso_ms

PROJECT_DELETED = "sh.keptn.event.project.delete.finished"
UNMAPPED = "keptnUnmappedEvents"

_INVALIDATED = "-invalidatedEvents"
_ROOTS = "-rootEvents"
_CONTEXTS = "contextToProject"
_FIELDS = {"type": "type", "source": "source", "eventID": "id", "keptnContext": "context"}


class Documents:
    """All documents of one mongodb-datastore; ``events`` in the order in which they came."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events: list[Event] = []
        self._roots: dict[str, dict[str, Event]] = {}
        self._contexts: dict[str, str] = {}
        for event in events:
            self.store(event)

    def store(self, event: Event) -> None:
        """Write an event, with root event and context mapping if it has a project."""
        if event.type == PROJECT_DELETED:
            self._drop(event.project)
            return
        self.events.append(event)
        if event.project:
            self._roots.setdefault(event.project, {}).setdefault(event.context, event)
            self._contexts[event.context] = event.project

    def _drop(self, project: str) -> None:
        self.events = [e for e in self.events if e.project != project]
        self._roots.pop(project, None)
        self._contexts = {c: p for c, p in self._contexts.items() if p != project}

    def left_of(self, project: str) -> dict[str, int]:
        """How many documents each collection has for a project ("" = the unmapped events)."""
        name = project or UNMAPPED
        mine = [e for e in self.events if e.project == project]
        invalidated = [e for e in mine if e.kind == "invalidated"]
        mapped = [c for c, p in self._contexts.items() if p == project]
        counts = {
            name: len(mine),
            f"{name}{_INVALIDATED}": len(invalidated),
            f"{name}{_ROOTS}": len(self._roots.get(project, {})),
            _CONTEXTS: len(mapped),
        }
        return {collection: count for collection, count in counts.items() if count}

    def queried(self, query: dict[str, str]) -> list[Event]:
        """Newest first, of one collection: the project's, the context's project's, or unmapped."""
        context = query.get("keptnContext", "")
        project = query.get("project") or self._contexts.get(context, "")
        found = [e for e in self.events if e.project == project]
        if query.get("root") == "true":
            found = list(self._roots.get(project, {}).values())
        for key, attribute in _FIELDS.items():
            if query.get(key):
                found = [e for e in found if getattr(e, attribute) == query[key]]
        for key in ("stage", "service"):
            if query.get(key):
                found = [e for e in found if e.data.get(key) == query[key]]
        if query.get("fromTime"):  # compared as strings, as Keptn does
            found = [e for e in found if iso_ms(e.time) >= query["fromTime"]]
        if query.get("beforeTime"):
            found = [e for e in found if iso_ms(e.time) <= query["beforeTime"]]
        return sorted(found, key=lambda e: e.time, reverse=True)

    def of_type(self, event_type: str, clauses: str) -> list[Event]:
        """Events of a type that meet ``key:value AND key:value``."""
        found = [e for e in self.events if e.type == event_type]
        for clause in filter(None, clauses.split(" AND ")):
            key, _, value = clause.partition(":")
            found = [e for e in found if str(_value(e, key.strip())) == value.strip()]
        return found


def _value(event: Event, key: str) -> object:
    if key.startswith("data."):
        return event.data.get(key.removeprefix("data."))
    return {"shkeptncontext": event.context, "triggeredid": event.triggered_id}.get(key)
