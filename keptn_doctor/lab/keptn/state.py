"""What one simulated Keptn knows: version, token, uniform, events, projects, logs of errors.

Shared by its components; the state of MongoDB and NATS decides what a component can read or write.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from keptn_doctor.lab.keptn.limiter import AuthLimiter
from keptn_doctor.lab.keptn.registrations import (
    IncompleteIdentityError,
    Uniform,
    iso_ms,
    of_earlier_days,
    own_services,
)
from keptn_doctor.lab.keptn.releases import Release, release
from keptn_doctor.lab.network.exchange import Answer, as_error
from keptn_doctor.lab.settings import ControlPlaneSettings, EventSettings, StoreSettings

Clock = Callable[[], datetime]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A stored event; ``data`` as it was sent, ``open`` while it is offered to pollers."""

    id: str
    type: str
    source: str
    time: datetime
    context: str
    triggered_id: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    open: bool = False

    @property
    def project(self) -> str:
        return str(self.data.get("project") or "")

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


@dataclass(slots=True, kw_only=True)
class KeptnState:
    """The state behind one gateway."""

    settings: ControlPlaneSettings
    version: Release
    token: str
    uniform: Uniform
    limiter: AuthLimiter
    started: datetime
    events: list[Event] = field(default_factory=list)
    error_logs: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    projects: dict[str, Any] = field(default_factory=dict)
    bad_tokens: list[datetime] = field(default_factory=list)
    auth_keys: dict[str, tuple[str, bool]] = field(default_factory=dict)  # client -> key, valid

    @property
    def text(self) -> str:
        return ".".join(map(str, self.version))

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


def new_token() -> str:
    """45 random alphanumerics, as the chart makes them."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(45))


def build(settings: ControlPlaneSettings, *, now: datetime) -> KeptnState:
    """The state as the scenario has it, before any client has called."""
    version = release(settings.version)
    uniform = Uniform(version, ttl_s=settings.registration_ttl_s)
    limiter = AuthLimiter(
        version=version,
        rate_per_s=settings.auth_rate_per_s,
        burst=settings.auth_burst,
        enabled=settings.auth_limit_enabled,
    )
    state = KeptnState(
        settings=settings,
        version=version,
        token=settings.token or new_token(),
        uniform=uniform,
        limiter=limiter,
        started=now,
        events=[_past_event(event, now) for event in settings.events],
        projects={p.name: p for p in settings.projects},
        secrets=["keptn-api-token"],
    )
    own = tuple(
        msgspec.structs.replace(record, namespace=settings.namespace)
        for record in (own_services(version) if settings.own_services else ())
    )
    for record in (*own, *settings.registrations):
        kept = of_earlier_days(record, now=now)
        try:
            registered, new = uniform.register(kept, kept.touched)
        except IncompleteIdentityError:
            continue
        if not new:  # the scenario wants two records; an id of its own keeps them apart
            twin = replace(
                kept,
                id=hashlib.sha1(
                    f"{registered.id}{kept.node}{kept.pod}".encode(), usedforsecurity=False
                ).hexdigest(),
            )
            uniform.keep(twin)
    freeze(state, settings.store, now)
    return state


def freeze(state: KeptnState, store: StoreSettings, now: datetime) -> None:
    """With a MongoDB that takes no writes, every lastseen stands still at the same time."""
    if store.mongodb != "up":
        state.uniform.frozen_at = now - timedelta(seconds=store.mongodb_ago_s)


def _past_event(settings: EventSettings, now: datetime) -> Event:
    time = now - timedelta(seconds=settings.ago_s)
    seed = f"{settings.type}|{settings.project}|{settings.stage}|{settings.ago_s}"
    return Event(
        id=settings.id or str(uuid.uuid5(uuid.NAMESPACE_OID, seed)),
        type=settings.type,
        source=settings.source,
        time=time,
        context=settings.context or str(uuid.uuid5(uuid.NAMESPACE_URL, seed)),
        triggered_id=settings.triggered_id,
        open=settings.open,
        data={"project": settings.project, "stage": settings.stage, "service": settings.service}
        if settings.project
        else {},
    )


def context_of(value: object) -> str:
    """``shkeptncontext`` as api-service makes it: kept when a UUID, hashed into one, or new."""
    text = str(value or "")
    if _UUID.fullmatch(text):
        return text
    return str(uuid.uuid5(uuid.NAMESPACE_OID, text)) if text else str(uuid.uuid4())
