"""What the logs of one Keptn service say is wrong now, as opposed to what once went wrong.

A line counts while it is recent by the API server's clock and no later line tells that the same
thing worked. Silence is no proof of anything: see ``ClientBehaviour.quiet_when_healthy``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from keptn_doctor.model.keptn_facts import LogMatch, PodLog

WINDOW_S = 300.0  # what went wrong in this time still belongs to the picture
ONGOING_S = 150.0  # the slowest client repeats a failing call within about two minutes

_NO_FAULT = ("ok", "info")
_CURED_BY_REGISTRATION = (
    "not_registered", "heartbeat", "registration_gone", "crash_exit", "bad_env", "bad_endpoint",
)  # fmt: skip


def troubles(
    logs: Iterable[PodLog] | None,
    *,
    event: str | tuple[str, ...] = (),
    cause: str | tuple[str, ...] = (),
    within_s: float = WINDOW_S,
) -> tuple[LogMatch, ...]:
    """Lines that tell of a present fault, the latest first; classes as in the signatures' file.

    ``event`` says where it went wrong (heartbeat, poll...), ``cause`` why (dns, bad_token...);
    left out, any. ``logs`` are those of one service, all its pods, earlier runs included: the log
    of the run before the last restart counts whatever its age, as long as nothing cured it since.
    """
    logs = tuple(logs or ())
    events, causes = _words(event), _words(cause)
    found = [
        match
        for log in logs
        for match in log.matches
        if match.event not in _NO_FAULT
        and match.strength != "context"
        and (not events or match.event in events)
        and (not causes or (match.cause or match.event) in causes)
        and (log.previous or _is_recent(match, log, within_s))
        and not _cured(match, logs)
    ]
    return tuple(sorted(found, key=_latest_first))


def ongoing(
    logs: Iterable[PodLog] | None,
    *,
    event: str | tuple[str, ...] = (),
    cause: str | tuple[str, ...] = (),
) -> tuple[LogMatch, ...]:
    """Like ``troubles``, but only what must be taken to be failing at this moment."""
    return troubles(logs, event=event, cause=cause, within_s=ONGOING_S)


_QUOTE = re.compile(r": (?P<line>“.*” \((?:once|\d+ times)[^()]*\))", re.DOTALL)


def quoted(match: LogMatch) -> str:
    """A line for people: its text, how often and when last."""
    text = match.text or match.signature
    times = f"{match.count} times" if match.count != 1 else "once"
    last = f", last at {match.last_at:%H:%M:%S} UTC" if match.last_at else ""
    return f"“{text}” ({times}{last})"


def without_quote(sentence: str) -> tuple[str, str]:
    """A sentence without the line that it quotes after a colon, and that line; "" when none.

    The sentence is what a reader needs first; the line is what it rests on, and may be long.
    """
    found = _QUOTE.search(sentence)
    if not found:
        return sentence, ""
    return sentence[: found.start()] + sentence[found.end() :], found["line"]


def registration_ids(logs: Iterable[PodLog] | None) -> tuple[str, ...]:
    """The ids that the present runs of a service's pods registered with, the newest of each run."""
    runs = [log for log in logs or () if not log.previous and log.registration_ids]
    return tuple(dict.fromkeys(log.registration_ids[-1] for log in runs))


def _words(words: str | tuple[str, ...]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else words


def _is_recent(match: LogMatch, log: PodLog, within_s: float) -> bool:
    now = log.read_at or log.last_at
    if now is None or match.last_at is None:
        return True  # without times nothing says that it is over
    return (now - match.last_at).total_seconds() <= within_s


def _cured(match: LogMatch, logs: tuple[PodLog, ...]) -> bool:
    if match.event == "poll":
        return _later(logs, match.last_at, "event.sending")
    if match.event in _CURED_BY_REGISTRATION:
        return _later(logs, match.last_at, "reg.ok")
    return False


def _later(logs: tuple[PodLog, ...], moment: datetime | None, signature: str) -> bool:
    """Whether a line of success is younger; "dist.reg.ok" and "sdk.reg.ok" are one success."""
    return moment is not None and any(
        found.last_at is not None and found.last_at > moment
        for log in logs
        for found in log.matches
        if found.event == "ok" and found.signature.endswith(signature)
    )


def _latest_first(match: LogMatch) -> tuple[float, str]:
    return (-match.last_at.timestamp() if match.last_at else 0.0, match.signature)
