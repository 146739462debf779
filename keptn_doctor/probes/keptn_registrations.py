"""Reads the control plane's list of integrations and the errors it has noted of them.

One odd record never costs the list: what cannot be read is counted. Sources:
``shipyard-controller/internal/handler/uniformintegrationhandler.go`` and ``loghandler.go@1.4.5``,
``go-utils pkg/api/models/uniform.go``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from keptn_doctor.model.keptn_facts import (
    Integration,
    IntegrationError,
    IntegrationListing,
    IntegrationLog,
    Subscription,
)
from keptn_doctor.probes.keptn_api import REGISTRATION, KeptnApi
from keptn_doctor.probes.retry import Attempts

T = TypeVar("T")

_LOG = "/controlPlane/v1/log"
_LOG_ENTRIES = 100
_LONGEST_MESSAGE = 300
_MOST = 5000
_RECORDS: Any = tuple[msgspec.Raw, ...] | None  # a null list is Go's empty one


class _KubernetesMetadata(msgspec.Struct, frozen=True):
    namespace: str | None = None
    podname: str | None = None
    deploymentname: str | None = None


class _Metadata(msgspec.Struct, frozen=True):
    hostname: str | None = None
    integrationversion: str | None = None
    distributorversion: str | None = None
    location: str | None = None
    kubernetesmetadata: _KubernetesMetadata | None = None
    lastseen: str | None = None


class _Filter(msgspec.Struct, frozen=True):
    projects: tuple[str, ...] | None = None
    stages: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None


class _Subscription(msgspec.Struct, frozen=True):
    id: str | None = None
    event: str | None = None
    filter: _Filter | None = None


class _OldFilter(msgspec.Struct, frozen=True):
    project: str | None = None
    stage: str | None = None
    service: str | None = None


class _OldSubscription(msgspec.Struct, frozen=True):
    """Up to 0.8.7 the record had one subscription, with several topics."""

    topics: tuple[str, ...] | None = None
    filter: _OldFilter | None = None


class _Record(msgspec.Struct, frozen=True):
    id: str | None = None
    name: str | None = None
    metadata: _Metadata | None = None
    subscriptions: tuple[msgspec.Raw, ...] | None = None
    subscription: msgspec.Raw = msgspec.Raw(b"null")


class _LogEntry(msgspec.Struct, frozen=True):
    integrationid: str | None = None
    message: str | None = None
    time: str | None = None
    task: str | None = None


class _Log(msgspec.Struct, frozen=True):
    logs: tuple[msgspec.Raw, ...] | None = None


async def integrations(
    api: KeptnApi, *, again_after_s: float = 0.0, attempts: Attempts | None = None
) -> IntegrationListing:
    """All registrations; read twice, ``again_after_s`` apart, when that is not 0.

    A record that vanished meanwhile stays in the list without a second time; a new one is left out.
    Raises WorldFault, see ``KeptnApi.get_as``.
    """
    raws, server_time = await _read(api, attempts)
    found, malformed = _read_all(raws)
    listing = IntegrationListing(integrations=found, malformed=malformed, server_time=server_time)
    if not again_after_s:
        return listing
    await asyncio.sleep(again_after_s)
    raws, server_time = await _read(api, attempts, fresh=True)
    later = {record.id: record.last_seen for record in _read_all(raws)[0]}
    return msgspec.structs.replace(
        listing,
        integrations=tuple(
            msgspec.structs.replace(record, last_seen_again=later.get(record.id))
            for record in found
        ),
        server_time_again=server_time,
    )


async def _read(
    api: KeptnApi, attempts: Attempts | None, *, fresh: bool = False
) -> tuple[tuple[msgspec.Raw, ...], datetime | None]:
    """The records as they came, and the server's time."""
    raws, exchange = await api.get_as(REGISTRATION, _RECORDS, fresh=fresh, attempts=attempts)
    return raws or (), exchange.answer.date


def _read_all(raws: Iterable[msgspec.Raw]) -> tuple[tuple[Integration, ...], int]:
    """The readable records, and how many things in the list were not readable."""
    found: list[Integration] = []
    malformed = 0
    for raw in tuple(raws)[:_MOST]:
        record = lenient(raw, _Record)
        if record is None or not record.id:
            malformed += 1
            continue
        subscriptions, odd = _subscriptions(record)
        malformed += odd
        found.append(_integration(record.id, record, subscriptions))
    return tuple(found), malformed


def _integration(
    identity: str, record: _Record, subscriptions: tuple[Subscription, ...]
) -> Integration:
    metadata = record.metadata or _Metadata()
    kubernetes = metadata.kubernetesmetadata or _KubernetesMetadata()
    return Integration(
        id=identity,
        name=record.name or "",
        namespace=kubernetes.namespace or "",
        hostname=metadata.hostname or "",
        pod_name=kubernetes.podname or "",
        deployment_name=kubernetes.deploymentname or "",
        location=metadata.location or "",
        distributor_version=metadata.distributorversion or "",
        integration_version=metadata.integrationversion or "",
        last_seen=moment(metadata.lastseen),
        subscriptions=subscriptions,
    )


def _subscriptions(record: _Record) -> tuple[tuple[Subscription, ...], int]:
    read = [lenient(raw, _Subscription) for raw in record.subscriptions or ()]
    found = tuple(
        Subscription(
            id=one.id or "",
            event=one.event or "",
            projects=(one.filter and one.filter.projects) or (),
            stages=(one.filter and one.filter.stages) or (),
            services=(one.filter and one.filter.services) or (),
        )
        for one in read
        if one is not None
    )
    if found or bytes(record.subscription) == b"null":
        return found, read.count(None)
    old = lenient(record.subscription, _OldSubscription)
    return _of_old(old), read.count(None) + (old is None)


def _of_old(old: _OldSubscription | None) -> tuple[Subscription, ...]:
    if old is None:
        return ()
    chosen = old.filter or _OldFilter()
    return tuple(
        Subscription(
            event=topic,
            projects=_split(chosen.project),
            stages=_split(chosen.stage),
            services=_split(chosen.service),
        )
        for topic in old.topics or ()
    )


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(part for part in (text or "").split(",") if part)


async def integration_log(api: KeptnApi, *, attempts: Attempts | None = None) -> IntegrationLog:
    """The newest error entries of all integrations, 100 at most; kept for 120 h by Keptn."""
    log, _ = await api.get_as(_LOG, _Log, params={"pageSize": str(_LOG_ENTRIES)}, attempts=attempts)
    read = (lenient(raw, _LogEntry) for raw in (log.logs or ())[:_LOG_ENTRIES])
    return IntegrationLog(
        entries=tuple(
            IntegrationError(
                integration_id=entry.integrationid or "",
                message=api.redactor.clean(entry.message or "")[:_LONGEST_MESSAGE],
                at=moment(entry.time),
                task=entry.task or "",
            )
            for entry in read
            if entry is not None
        )
    )


def lenient(raw: msgspec.Raw, kind: type[T]) -> T | None:
    """An element of a list, None when it is null or of another shape."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def moment(text: str | None) -> datetime | None:
    """An RFC 3339 time in UTC; None for what is no time, and for Go's zero time."""
    try:
        parsed = msgspec.convert(text, datetime)
    except (msgspec.ValidationError, OverflowError):
        return None
    if parsed.year <= 1:
        return None
    try:
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        return None
