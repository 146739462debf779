"""The kubelets of one lab cluster: logs and ports of its pods."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from keptn_doctor.lab.kube.pods import LogOptions, Streams, cut_log
from keptn_doctor.model.base import Record

Line = tuple[datetime, str]
_LOGRUS_TIME = re.compile(r'time="(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"')
Opener = Callable[[], Awaitable[Streams]]


class Reading(Protocol):
    """Reads the log of a container's present run."""

    def __call__(self, *, since: datetime | None = None) -> tuple[Line, ...]: ...


class Tail(Protocol):
    """Reads at least the last so many lines of a container's present run."""

    def __call__(self, count: int, *, since: datetime | None = None) -> tuple[Line, ...]: ...


class ContainerLog(Record, frozen=True, kw_only=True):
    """What a container writes in its present run, and wrote in the one before (None: no such).

    ``tail`` is for logs that are dear to make from their beginning.
    """

    present: Reading
    previous: Callable[[], tuple[Line, ...] | None]
    tail: Tail | None = None


class LabPods:
    """Implements ``kube.PodBackend`` for pods that exist as objects only.

    ``now`` is the clock by which lines were written; ``shift`` is how far the cluster's own clock
    is before it: times of the lines, and in them, are shown by that one.
    """

    def __init__(self, now: Callable[[], datetime], *, shift: timedelta = timedelta()) -> None:
        self._now = now
        self._shift = shift
        self._logs: dict[tuple[str, str, str], ContainerLog] = {}
        self._local: dict[tuple[str, str, int], Opener] = {}
        self._public: dict[tuple[str, str, int], Opener] = {}
        self.lost: set[tuple[str, str]] = set()  # pods on nodes whose kubelet does not answer

    def write(self, namespace: str, pod: str, container: str, log: ContainerLog) -> None:
        self._logs[namespace, pod, container] = log

    def listen(
        self, namespace: str, pod: str, port: int, opener: Opener, *, public: bool
    ) -> None:
        """Something listens in a pod; ``public``: on its address too, not on loopback alone."""
        self._local[namespace, pod, port] = opener
        if public:
            self._public[namespace, pod, port] = opener

    async def logs(
        self, namespace: str, pod: str, container: str, options: LogOptions
    ) -> str | None:
        """As the kubelet answers; see ``kube.PodBackend``."""
        if (namespace, pod) in self.lost:
            raise TimeoutError("dial tcp 10.0.0.11:10250: i/o timeout")
        log = self._logs.get((namespace, pod, container))
        if log is None:
            return None if options.previous else ""
        since = None
        if options.since_seconds is not None:
            since = self._now() - timedelta(seconds=options.since_seconds)
        rows: tuple[Line, ...] | None
        if options.previous:
            rows = log.previous()
        elif log.tail is not None and options.tail_lines is not None:
            rows = log.tail(options.tail_lines, since=since)
        else:
            rows = log.present(since=since)
        if rows is None:
            return None
        lines = [
            self._line(at, text, timestamps=options.timestamps)
            for at, text in rows
            if since is None or at >= since
        ]
        return cut_log(lines, tail_lines=options.tail_lines, limit_bytes=options.limit_bytes)

    def _line(self, at: datetime, text: str, *, timestamps: bool) -> str:
        if self._shift:
            text = _LOGRUS_TIME.sub(lambda found: self._shifted(found[1]), text, count=1)
        if not timestamps:
            return text
        shown = (at + self._shift).isoformat(timespec="microseconds")
        return f"{shown.replace('+00:00', '000Z')} {text}"

    def _shifted(self, stamp: str) -> str:
        moment = datetime.fromisoformat(stamp) + self._shift
        return f'time="{moment.strftime("%Y-%m-%dT%H:%M:%SZ")}"'

    async def open_port(self, namespace: str, pod: str, port: int) -> Streams:
        """The pod's loopback."""
        return await self._open(self._local, namespace, pod, port)

    async def open_pod_ip(self, namespace: str, pod: str, port: int) -> Streams:
        """The pod's address."""
        return await self._open(self._public, namespace, pod, port)

    async def _open(
        self, doors: dict[tuple[str, str, int], Opener], namespace: str, pod: str, port: int
    ) -> Streams:
        if (namespace, pod) in self.lost:
            raise TimeoutError("dial tcp 10.0.0.11:10250: i/o timeout")
        opener = doors.get((namespace, pod, port))
        if opener is None:
            raise ConnectionRefusedError(f"{namespace}/{pod} does not listen on port {port}")
        async with asyncio.timeout(10):
            return await opener()
