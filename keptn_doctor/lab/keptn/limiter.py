"""The authentication rate limiter of api-service, per version (``api/middleware/ratelimiter.go``).

Requests of simulated clients are not sent over and over: they are ``Load`` patterns, replayed into
the bucket whenever somebody looks at it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from keptn_doctor.lab.keptn.releases import Release
from keptn_doctor.lab.network.exchange import Call

_FORGET = timedelta(seconds=60)  # far longer than a bucket takes to fill
_MOST = 20_000  # requests replayed at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Authentication requests that come in bursts of ``calls`` every ``period_s``."""

    key: str
    begin: datetime
    period_s: float
    calls: int = 1
    valid: bool = False
    of: str = ""  # subject of the client that sends them

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The moments after ``start`` and up to ``end``, one per request."""
        period = timedelta(seconds=self.period_s)
        first = max(0, int((start - self.begin) / period))
        moment = self.begin + first * period
        while moment <= end:
            if moment > start:
                for call in range(self.calls):
                    yield moment + timedelta(milliseconds=20 * call)
            moment += period


@dataclass(slots=True)
class _Bucket:
    tokens: float
    updated: datetime
    replayed: datetime


@dataclass(slots=True, kw_only=True)
class AuthLimiter:
    """Buckets by key; ``check`` is what the middleware asks for each request."""

    version: Release
    rate_per_s: float = 1.0
    burst: int = 2
    enabled: bool = True
    loads: list[Load] = field(default_factory=list)
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def active(self) -> bool:
        return self.enabled and self.version >= (0, 8, 7)

    def keyed_by_client(self) -> bool:
        """One bucket for all before 0.13.5 and in 0.14.0 and 0.14.1."""
        return self.version >= (0, 14, 2) or (0, 13, 5) <= self.version < (0, 14, 0)

    def key(self, call: Call) -> str:
        """The bucket of a request."""
        if not self.keyed_by_client():
            return "gateway"
        forwarded = call.headers.get("X-Forwarded-For", "").split(",")[0].strip()
        return forwarded or call.headers.get("X-Real-IP", "") or call.origin.address

    def check(self, key: str, at: datetime, *, valid: bool) -> bool:
        """Whether a request passes; counts it."""
        if not self.active():
            return True
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self.burst, at - _FORGET, at - _FORGET)
        start = max(bucket.replayed, at - _FORGET)
        for moment, load in _merged([x for x in self.loads if x.key == key], start, at):
            self._take(bucket, moment, valid=load.valid)
        bucket.replayed = max(bucket.replayed, at)
        return self._take(bucket, at, valid=valid)

    def refused(self, start: datetime, end: datetime) -> dict[str, tuple[datetime, ...]]:
        """When requests of the loads themselves are refused in a span: client -> moments."""
        found: dict[str, list[datetime]] = {}
        if not self.active():
            return {}
        for key in {load.key for load in self.loads}:
            bucket = _Bucket(self.burst, start, start)
            for moment, load in _merged([x for x in self.loads if x.key == key], start, end):
                if not self._take(bucket, moment, valid=load.valid):
                    found.setdefault(load.of, []).append(moment)
        return {client: tuple(moments) for client, moments in found.items()}

    def _take(self, bucket: _Bucket, at: datetime, *, valid: bool) -> bool:
        passed = max(0.0, (at - bucket.updated).total_seconds())
        bucket.tokens = min(self.burst, bucket.tokens + passed * self.rate_per_s)
        bucket.updated = max(bucket.updated, at)
        if valid and self.version < (0, 9, 0):
            return True  # 0.8.7 counts bad requests only
        if bucket.tokens < 1:
            return False
        bucket.tokens = self.burst if valid else bucket.tokens - 1
        return True


def _merged(loads: list[Load], start: datetime, end: datetime) -> Iterator[tuple[datetime, Load]]:
    streams = [_tagged(load, index, start, end) for index, load in enumerate(loads)]
    for count, (moment, _, load) in enumerate(heapq.merge(*streams, key=lambda x: x[:2])):
        if count >= _MOST:
            return
        yield moment, load


def _tagged(
    load: Load, index: int, start: datetime, end: datetime
) -> Iterator[tuple[datetime, int, Load]]:
    for moment in load.between(start, end):
        yield moment, index, load
