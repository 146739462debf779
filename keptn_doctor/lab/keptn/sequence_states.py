"""The sequence states of shipyard-controller: what ``GET …/sequence/{project}`` shows.

One entry for each Keptn context, with a part for each stage it has come to.
Source: ``shipyard-controller/handler/sequencehooks/sequencestate.go @0.11.4``,
``internal/controller/sequencestate.go @1.4.5``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from keptn_doctor.lab.keptn.events import Event
from keptn_doctor.lab.keptn.registrations import iso_ms
from keptn_doctor.lab.keptn.releases import Release

Entry = dict[str, Any]


class SequenceStates:
    """The entries of all projects that sequences were triggered in while the lab ran."""

    def __init__(self, version: Release) -> None:
        self._version = version
        self._entries: dict[tuple[str, str], Entry] = {}  # by project and context

    def of(self, project: str) -> list[Entry]:
        """The entries of a project, newest first."""
        return [e for (name, _), e in reversed(self._entries.items()) if name == project]

    def drop(self, project: str) -> None:
        self._entries = {k: e for k, e in self._entries.items() if k[0] != project}

    def triggered(self, event: Event, *, name: str) -> None:
        """A sequence was asked for; versions before 0.8.4 keep no states."""
        if self._version < (0, 8, 4):
            return
        entry = self._entries.setdefault(
            (event.project, event.context),
            {
                "name": name,
                "service": event.service,
                "project": event.project,
                "time": iso_ms(event.time),
                "shkeptncontext": event.context,
                "state": "triggered",
                "stages": [],
            },
        )
        if self._version >= (0, 17, 0) and not entry["stages"]:
            entry["stages"].append({"name": event.stage, "state": "triggered"})

    def becomes(self, project: str, context: str, state: str) -> None:
        """The overall state; from 0.17 on nothing is finished while a stage still runs."""
        entry = self._entries.get((project, context))
        if entry is None:
            return
        running = any(stage["state"] == "triggered" for stage in entry["stages"])
        if state == "finished" and running and self._version >= (0, 17, 0):
            return
        entry["state"] = state

    def saw(self, event: Event, at: datetime) -> None:
        """An event of the sequence: the stage's latest, and latest failed one."""
        entry = self._entries.get((event.project, event.context))
        if entry is None:
            return
        stage = next((s for s in entry["stages"] if s["name"] == event.stage), None)
        if stage is None:
            stage = {"name": event.stage}
            entry["stages"].append(stage)
        ended = len(event.parts) > 1
        stage["state"] = str(event.data.get("status") or "") if ended else "triggered"
        latest = {"type": event.type, "id": event.id, "time": iso_ms(at)}
        stage["latestEvent"] = latest
        if event.data.get("result") == "fail" or event.data.get("status") == "errored":
            stage["latestFailedEvent"] = latest
