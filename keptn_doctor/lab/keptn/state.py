"""What one simulated Keptn knows: version, token, uniform, events, projects, logs of errors.

Shared by its components; the state of MongoDB and NATS decides what a component can read or write.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from keptn_doctor.lab.keptn.datastore import Documents
from keptn_doctor.lab.keptn.events import Event
from keptn_doctor.lab.keptn.limiter import AuthLimiter
from keptn_doctor.lab.keptn.registrations import Uniform
from keptn_doctor.lab.keptn.releases import Release
from keptn_doctor.lab.keptn.sequences import SequenceController
from keptn_doctor.lab.network.exchange import Answer, as_error
from keptn_doctor.lab.settings import ControlPlaneSettings, ProjectSettings

Clock = Callable[[], datetime]
Place = tuple[str, str, str, str]  # project, stage, service, name of a file

MONGODB_DOWN = (
    "failed to connect client to MongoDB: server selection error: context deadline exceeded, "
    "current topology: { Type: Unknown, Servers: [{ Addr: {host}:27017, Type: Unknown, "
    "Last error: connection() error occurred during connection handshake: dial tcp: "
    "lookup {host}: i/o timeout }, ] }"
)
MONGODB_CREDENTIALS = (
    "failed to connect client to MongoDB: connection() error occurred during connection "
    "handshake: auth error: sasl conversation error: unable to authenticate using mechanism "
    '"SCRAM-SHA-256": (AuthenticationFailed) Authentication failed.'
)
MONGODB_FULL = "(OutOfDiskSpace) error writing to journal: No space left on device"
NATS_DOWN = "could not connect to NATS to publish event: nats: no servers available for connection"


@dataclass(slots=True, kw_only=True)
class KeptnState:
    """The state behind one gateway."""

    settings: ControlPlaneSettings
    version: Release
    token: str
    uniform: Uniform
    limiter: AuthLimiter
    started: datetime
    documents: Documents  # of mongodb-datastore
    controller: SequenceController
    error_logs: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    projects: dict[str, ProjectSettings] = field(default_factory=dict)
    made_at: dict[str, datetime] = field(default_factory=dict)  # projects made while the lab runs
    files: dict[Place, str] = field(default_factory=dict)  # uploaded ones, as base64
    git_credentials: set[str] = field(default_factory=set)  # projects with a Secret for Git
    listeners: list[Callable[[Event], None]] = field(default_factory=list)  # others behind NATS
    task_listeners: list[Callable[[Event], None]] = field(default_factory=list)  # a task is open
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    refusals: deque[tuple[datetime, str]] = field(default_factory=lambda: deque(maxlen=1000))
    bad_tokens: list[datetime] = field(default_factory=list)
    auth_keys: dict[str, tuple[str, bool]] = field(default_factory=dict)  # client -> key, valid

    @property
    def text(self) -> str:
        return ".".join(map(str, self.version))

    @property
    def events(self) -> list[Event]:
        """What mongodb-datastore has stored, oldest first."""
        return self.documents.events

    def left_of(self, project: str) -> dict[str, int]:
        """What exists under a project's name: collections and documents in each, Secret, project.

        ``""`` asks for the events that belong to no project. The Git upstream is not Keptn's.
        """
        found = self.documents.left_of(project)
        if project:
            found |= self.controller.left_of(project)
        if project in self.projects:
            found["keptnProjectsMV"] = 1
        if project in self.git_credentials:
            found[f"Secret git-credentials-{project}"] = 1
        return found

    def close(self) -> None:
        """Nothing happens any more by itself."""
        self.controller.close()
        for timer in self.timers:
            timer.cancel()

    def store_error(self, *, writing: bool) -> Answer | None:
        """The 500 of a component that needs MongoDB now; None when MongoDB plays along."""
        match self.settings.store.mongodb:
            case "down":
                host = "mongodb" if self.version < (0, 11, 0) else "keptn-mongo"
                return as_error(500, MONGODB_DOWN.replace("{host}", host))
            case "wrong-credentials":
                return as_error(500, MONGODB_CREDENTIALS)
            case "disk-full" if writing:
                return as_error(500, MONGODB_FULL)
        return None

    def nats_up(self) -> bool:
        return self.settings.store.nats != "down"
