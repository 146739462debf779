"""The uniform of one control plane: registrations, their identity and their lifetime, per version.

``lastseen`` is not stored but computed: a record carries the heartbeats of everybody who pings it
as pulses, so that a lab that stays up keeps living without anything spinning in the background.

Sources: ``shipyard-controller/handler/uniformintegrationhandler.go`` @0.8.7, @0.9.2, @0.16.0,
``internal/db/mongodb_uniform_repo.go`` @1.4.5, go-utils ``pkg/api/models/uniform.go`` @v0.9.0.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from typing import Any

from keptn_doctor.lab.keptn.releases import Release
from keptn_doctor.lab.settings import RegistrationSettings, SubscriptionSettings

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # a record whose heartbeats are still to be derived

_MONGO_SWEEP = timedelta(seconds=60)  # MongoDB's TTL monitor runs once a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Heartbeats of one sender: every ``period`` from ``begin``, until ``end`` if there is one."""

    begin: datetime
    period_s: float
    end: datetime | None = None

    def latest(self, at: datetime) -> datetime | None:
        """The last beat that is not after ``at``."""
        until = at if self.end is None else min(at, self.end)
        if until < self.begin:
            return None
        beats = int((until - self.begin).total_seconds() // self.period_s)
        return self.begin + timedelta(seconds=beats * self.period_s)


@dataclass(slots=True, kw_only=True)
class Registration:
    """One record as shipyard-controller keeps it."""

    id: str
    name: str
    namespace: str
    node: str
    pod: str
    deployment: str
    location: str
    integration_version: str
    distributor_version: str
    subscriptions: tuple[SubscriptionSettings, ...]
    created: datetime
    touched: datetime
    pulses: list[Pulse] = field(default_factory=list)
    topics: tuple[str, ...] = ()  # 0.8's single subscription
    filters: tuple[str, str, str] = ("", "", "")

    def last_seen(self, at: datetime) -> datetime:
        beats = (pulse.latest(at) for pulse in self.pulses)
        return max((self.touched, *(beat for beat in beats if beat is not None)))


class IncompleteIdentityError(ValueError):
    """Name, namespace or node are missing; Keptn answers 400."""


class Uniform:
    """The collection ``keptnUniform`` of one control plane."""

    def __init__(self, version: Release, *, ttl_s: float | None) -> None:
        self.version = version
        self._ttl = _lifetime(version, ttl_s)
        self._records: dict[str, Registration] = {}
        self.frozen_at: datetime | None = None  # writes have failed since: disk full

    def alive(self, at: datetime) -> list[Registration]:
        """The records that TTL has not removed, in the order of their making."""
        return self._kept(list(self._records.values()), at)

    def get(self, record_id: str, at: datetime) -> Registration | None:
        found = self._records.get(record_id)
        return next(iter(self._kept([found], at)), None) if found is not None else None

    def named(self, name: str, at: datetime) -> list[Registration]:
        """The records of ``alive`` that have this name."""
        return self._kept([r for r in self._records.values() if r.name == name], at)

    def _kept(self, records: list[Registration], at: datetime) -> list[Registration]:
        """Those that TTL leaves alone; the others are gone for good."""
        if self._ttl is None:
            return records
        kept = []
        for record in records:
            seen = record.last_seen(at)
            if seen > NEVER and seen + self._ttl + _MONGO_SWEEP < at:
                del self._records[record.id]
            else:
                kept.append(record)
        return kept

    def delete(self, record_id: str) -> bool:
        return self._records.pop(record_id, None) is not None

    def matching(self, name: str, namespace: str, at: datetime) -> list[Registration]:
        """Records by glob of name and namespace."""
        return [
            r for r in self.alive(at) if fnmatch(r.name, name) and fnmatch(r.namespace, namespace)
        ]

    def identity(
        self, *, name: str, namespace: str, node: str, filters: tuple[str, str, str]
    ) -> str:
        """The id that the version's rule gives.

        Raises:
            IncompleteIdentityError: a part that the rule needs is empty.
        """
        if self.version < (0, 9, 0):
            parts = [name, namespace, *filters]
        elif not (name and namespace and node):
            raise IncompleteIdentityError
        else:
            parts = [name, namespace, node]
        return hashlib.sha1("-".join(parts).encode(), usedforsecurity=False).hexdigest()

    def register(
        self, wanted: Registration, at: datetime, *, rehearsal: bool = False
    ) -> tuple[Registration, bool]:
        """What a POST does: a new record, or the one that already has this identity.

        Returns the record and whether it is new. ``wanted.id`` may be preset for records of
        earlier days. A rehearsal leaves no trace in lastseen: the client's history does that.
        """
        record_id = wanted.id or self.identity(
            name=wanted.name, namespace=wanted.namespace, node=wanted.node, filters=wanted.filters
        )
        found = self._known(record_id, wanted, at)
        if found is None:
            touched = NEVER if rehearsal else at
            made = replace(wanted, id=record_id, created=at, touched=touched)
            made.subscriptions = tuple(_with_id(s) for s in made.subscriptions)
            self._records[record_id] = made
            return made, True
        self._refresh(found, wanted)
        if not rehearsal:
            found.touched = max(found.touched, at)
        return found, False

    def keep(self, record: Registration) -> None:
        """Put a record in as it is, for histories that the present rules would not make."""
        record.subscriptions = with_ids(record.subscriptions)
        self._records[record.id] = record

    def _known(self, record_id: str, wanted: Registration, at: datetime) -> Registration | None:
        if self.version >= (0, 16, 0):
            namesakes = [r for r in self.named(wanted.name, at) if r.namespace == wanted.namespace]
            if namesakes:
                return max(namesakes, key=lambda r: r.last_seen(at))
        return self.get(record_id, at)

    def _refresh(self, found: Registration, wanted: Registration) -> None:
        if self.version < (0, 9, 0):  # upsert: all of it
            found.node, found.pod, found.location = wanted.node, wanted.pod, wanted.location
            found.integration_version = wanted.integration_version
            found.distributor_version = wanted.distributor_version
            found.topics, found.filters = wanted.topics, wanted.filters
            return
        if self._updates_versions():
            found.integration_version = wanted.integration_version
            found.distributor_version = wanted.distributor_version
        if self._adopts() and not found.subscriptions:
            found.subscriptions = tuple(_with_id(s) for s in wanted.subscriptions)

    def _updates_versions(self) -> bool:
        return (0, 12, 3) <= self.version < (0, 13, 0) or self.version >= (0, 13, 2)

    def _adopts(self) -> bool:
        return self.version in ((0, 16, 2), (0, 17, 1)) or self.version >= (0, 18, 2)

    def ping(self, record_id: str, at: datetime, *, rehearsal: bool = False) -> Registration | None:
        """What a heartbeat does; None when there is no such record."""
        found = self.get(record_id, at)
        if found is not None and not rehearsal:
            found.touched = max(found.touched, at)
        return found

    def settle(self) -> None:
        """After all histories are in: who registered and never beat was seen once."""
        for record in self._records.values():
            if record.touched == NEVER and not record.pulses:
                record.touched = record.created

    def shown(self, record: Registration, at: datetime) -> dict[str, Any]:
        """The record as the API shows it at this version."""
        seen = record.last_seen(at)
        if self.frozen_at is not None:
            seen = min(seen, self.frozen_at)
        metadata: dict[str, Any] = {
            "hostname": record.node,
            "integrationversion": record.integration_version,
            "distributorversion": record.distributor_version,
            "location": record.location,
            "kubernetesmetadata": {
                "namespace": record.namespace,
                "podname": record.pod,
                "deploymentname": record.deployment,
            },
        }
        if self.version >= (0, 8, 7):
            metadata["lastseen"] = iso_ms(seen)
        shown: dict[str, Any] = {"id": record.id, "name": record.name, "metadata": metadata}
        if self.version < (0, 17, 0):
            shown["subscription"] = {
                "topics": list(record.topics),
                "status": "",
                "filter": dict(zip(("project", "stage", "service"), record.filters, strict=True)),
            }
        if self.version >= (0, 9, 0):
            shown["subscriptions"] = [shown_subscription(s) for s in record.subscriptions]
        return shown


def shown_subscription(subscription: SubscriptionSettings) -> dict[str, Any]:
    return {
        "id": subscription.id,
        "event": subscription.event,
        "filter": {
            "projects": list(subscription.projects),
            "stages": list(subscription.stages),
            "services": list(subscription.services),
        },
    }


def _with_id(subscription: SubscriptionSettings) -> SubscriptionSettings:
    if subscription.id:
        return subscription
    seed = "|".join(
        (subscription.event, *subscription.projects, *subscription.stages, *subscription.services)
    )
    return SubscriptionSettings(
        event=subscription.event,
        projects=subscription.projects,
        stages=subscription.stages,
        services=subscription.services,
        id=str(uuid.uuid5(uuid.NAMESPACE_OID, seed)),
    )


def with_ids(subscriptions: tuple[SubscriptionSettings, ...]) -> tuple[SubscriptionSettings, ...]:
    return tuple(_with_id(s) for s in subscriptions)


def _lifetime(version: Release, ttl_s: float | None) -> timedelta | None:
    if version < (0, 8, 7):
        return None
    if ttl_s is None:
        ttl_s = 120 if version < (0, 9, 0) else 48 * 3600
    return timedelta(seconds=ttl_s)


def iso_ms(at: datetime) -> str:
    """Keptn's form of a time: RFC 3339, UTC, milliseconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def of_earlier_days(settings: RegistrationSettings, *, now: datetime) -> Registration:
    """A record that the scenario says was left by somebody."""
    seen = now - timedelta(seconds=settings.seen_ago_s)
    pulses = []
    if settings.beats_every_s:
        pulses.append(Pulse(begin=seen, period_s=settings.beats_every_s))
    return Registration(
        id=settings.id,
        name=settings.name,
        namespace=settings.namespace,
        node=settings.node,
        pod=settings.pod or f"{settings.name}-0",
        deployment=settings.deployment or settings.name,
        location=settings.location,
        integration_version=settings.integration_version,
        distributor_version=settings.distributor_version,
        subscriptions=settings.subscriptions,
        created=seen,
        touched=seen,
        pulses=pulses,
        topics=tuple(s.event for s in settings.subscriptions),
        filters=(settings.project_filter, settings.stage_filter, settings.service_filter),
    )


def own_services(version: Release) -> tuple[RegistrationSettings, ...]:
    """The services beside Keptn that register themselves, by version (chart of each tag)."""
    tasks = {
        "approval-service": "approval",
        "lighthouse-service": "evaluation",
        "remediation-service": "get-action",
    }
    if version >= (0, 10, 0):
        tasks["webhook-service"] = ""
    text = ".".join(map(str, version))
    sdk = version >= (0, 16, 0)
    return tuple(
        RegistrationSettings(
            name=name,
            namespace="keptn",
            node="cp-node-1",
            pod=f"{name}-0",
            location="control-plane",
            integration_version=text,
            distributor_version="" if sdk else text,
            beats_every_s=5 if sdk else 10,
            seen_ago_s=3,
            subscriptions=(
                (SubscriptionSettings(event=f"sh.keptn.event.{task}.triggered"),) if task else ()
            ),
        )
        for name, task in tasks.items()
    )
