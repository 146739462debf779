"""Reads container logs, bounded, and keeps of them only what means something.

A log is redacted line by line before anything else looks at it; the lines themselves are dropped.
The beginning is read as well as the end, because a service names its registration once, at start.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from keptn_doctor.knowledge.signatures import LineMeaning, read_line
from keptn_doctor.model.base import Record
from keptn_doctor.model.keptn_facts import LogMatch, PodLog
from keptn_doctor.probes.kube_client import KubeClient, pod_path
from keptn_doctor.redact import Redactor

_HEAD_BYTES = 128 * 1024
_HEAD_LINES = 400  # of a log too long to be read whole
_TAIL_LINES = 5000
_TEXT_LENGTH = 300
_MOST_MATCHES = 60
_DIALLED_FOR = timedelta(minutes=5)  # later, the name may lead elsewhere
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?(.*)$")
_OWN_TIME = re.compile(  # of logrus, or of nginx after the client's address and name
    r'time="[^"]*" |(\S+ \S+ \S+ )\[\d\d/[A-Z][a-z]{2}/\d{4}(?::\d\d){3} [+-]\d{4}\] '
)
_REGISTERED = frozenset({"dist.reg.ok", "sdk.reg.ok"})


class Line(Record, frozen=True, kw_only=True):
    """One line, redacted; ``at`` is when the container runtime took it."""

    at: datetime | None
    text: str


class RawLog(Record, frozen=True, kw_only=True):
    """The lines that were read; ``since`` None = from the beginning of the container's log."""

    lines: tuple[Line, ...]
    head: tuple[Line, ...] = ()  # first lines, where the rest does not follow on them
    truncated: bool = False
    since: datetime | None = None
    read_at: datetime | None = None


async def read_raw(
    kube: KubeClient,
    namespace: str,
    pod: str,
    container: str,
    *,
    redactor: Redactor,
    window_s: float,
    previous: bool = False,
) -> RawLog:
    """A whole log where it is short, else its first lines and the last ``window_s`` seconds.

    Raises WorldFault when the log may not be read or there is none.
    """
    params: dict[str, str | int | bool] = {
        "container": container, "timestamps": True, "limitBytes": _HEAD_BYTES,
    }  # fmt: skip
    if previous:
        params["previous"] = True
    answer = await kube.send(
        "GET", f"{pod_path(namespace, pod)}/log", params=params, cut_at=2 * _HEAD_BYTES
    )
    text = answer.body.decode(errors="replace")
    head = _lines(text, redactor, whole=len(answer.body) < _HEAD_BYTES)
    if len(answer.body) < _HEAD_BYTES:
        return RawLog(lines=head, read_at=answer.read_at)
    tail = await read_tail(
        kube, namespace, pod, container, redactor=redactor, window_s=window_s, previous=previous
    )
    return msgspec.structs.replace(tail, head=head[:_HEAD_LINES])


async def read_tail(
    kube: KubeClient,
    namespace: str,
    pod: str,
    container: str,
    *,
    redactor: Redactor,
    window_s: float,
    previous: bool = False,
) -> RawLog:
    """The lines of the last ``window_s`` seconds, at most 5000; of a past run, its last lines."""
    found = await kube.logs(
        namespace,
        pod,
        container,
        previous=previous,
        since_s=None if previous else window_s,
        max_lines=_TAIL_LINES,
    )
    lines = _lines(found.text, redactor, whole=not found.truncated)
    return RawLog(
        lines=lines,
        truncated=found.truncated,
        since=next((line.at for line in lines if line.at), found.read_at),
        read_at=found.read_at,
    )


def _lines(text: str, redactor: Redactor, *, whole: bool) -> tuple[Line, ...]:
    """Lines with their times, without a last one that is cut off: it may hold half a secret."""
    rows = text.split("\n")
    if not whole or not rows[-1]:
        rows = rows[:-1]
    clean = redactor.cleaner_of(text)
    return tuple(_line(row, clean) for row in rows)


def _line(row: str, clean: Callable[[str], str]) -> Line:
    stamped = _STAMP.match(row)
    if stamped is None:
        return Line(at=None, text=clean(row))
    try:
        at = datetime.fromisoformat(stamped[1])
    except ValueError:
        at = None
    return Line(at=at, text=clean(stamped[2]))


def pod_log(
    raw: RawLog,
    *,
    pod: str,
    container: str,
    component: str,
    version: str = "",
    previous: bool = False,
) -> PodLog:
    """What a log says. ``component`` and ``version`` are as in ``knowledge.signatures``."""
    reading = _Reading(component, version)
    for line in raw.head:
        reading.take(line)
    for line in raw.lines:
        if not raw.head or line.at is None or line.at > (raw.head[-1].at or line.at):
            reading.take(line)
    moments = [line.at for line in raw.lines if line.at]
    return PodLog(
        pod=pod,
        container=container,
        previous=previous,
        lines=len(raw.lines),
        truncated=raw.truncated,
        since=raw.since or next(iter(moments), None),
        first_at=next(iter(moments), None),
        last_at=moments[-1] if moments else None,
        read_at=raw.read_at,
        matches=reading.matches(),
        registration_ids=tuple(dict.fromkeys(reading.ids)),
        banner_endpoint=reading.endpoint,
        banner_mode=reading.mode,
    )


def _timeless(text: str) -> str:
    """A line without its own time, which is no part of what it means."""
    timed = _OWN_TIME.match(text)
    return (timed[1] or "") + text[timed.end() :] if timed else text


class _Reading:
    """Counts what the lines of one log mean."""

    def __init__(self, component: str, version: str) -> None:
        self._component, self._version = component, version
        self._known: dict[str, LineMeaning | None] = {}
        self._found: dict[tuple[str, str], LogMatch] = {}
        self._address: dict[tuple[str, str], tuple[str, datetime | None]] = {}
        self.ids: list[str] = []
        self.endpoint = ""
        self.mode: Literal["", "remote", "nats"] = ""

    def take(self, line: Line) -> None:
        text = _timeless(line.text)
        if text not in self._known:  # logs repeat themselves
            self._known[text] = read_line(text, component=self._component, version=self._version)
        meaning = self._known[text]
        if meaning is None:
            return
        self._note(meaning)
        key = (meaning.signature, meaning.cause)
        before = self._found.get(key)
        self._found[key] = LogMatch(
            signature=meaning.signature,
            event=meaning.event,
            cause=meaning.cause,
            strength=meaning.strength,
            text=line.text[:_TEXT_LENGTH],
            count=before.count + 1 if before else 1,
            first_at=before.first_at if before else line.at,
            last_at=line.at or (before.last_at if before else None),
            captures=self._dialled(key, meaning, line)
            | {name: value[:_TEXT_LENGTH] for name, value in meaning.captures.items()},
        )

    def _dialled(self, key: tuple[str, str], meaning: LineMeaning, line: Line) -> dict[str, str]:
        """The address that an earlier line of the same kind told, unless that was long ago.

        Go tells the address of a failed connection or that its own patience ended, whichever comes
        first, so of many lines on one fault only some name it.
        """
        if "dialled" in meaning.captures:
            self._address[key] = (meaning.captures["dialled"], line.at)
        address, told_at = self._address.get(key, ("", None))
        fresh = told_at and line.at and line.at - told_at <= _DIALLED_FOR
        return {"dialled": address} if address and fresh else {}

    def _note(self, meaning: LineMeaning) -> None:
        """What a service says of itself once, at start."""
        value = meaning.captures.get("value", "")
        if meaning.signature in _REGISTERED:
            self.ids.append(meaning.captures["id"])
        elif meaning.signature == "dist.banner.endpoint":
            told = meaning.captures["endpoint"].strip()
            self.endpoint = "" if told == "unknown" else told
        elif meaning.signature == "dist.banner.remote":
            self.mode = "remote" if value == "true" else "nats"
        elif meaning.signature in {"dist.mode.http", "dist.mode.nats"}:
            self.mode = "remote" if meaning.signature == "dist.mode.http" else "nats"

    def matches(self) -> tuple[LogMatch, ...]:
        return tuple(list(self._found.values())[:_MOST_MATCHES])
