"""Where a run's time went: one span for each look and each search, in milliseconds."""

from __future__ import annotations

from keptn_doctor.model.base import Record


class Spent(Record, frozen=True, kw_only=True):
    """What the requests of a span took, added up: side by side they exceed the span's duration."""

    waiting_ms: float = 0.0  # for a turn: five requests at once per cluster, two with the token
    resolve_ms: float = 0.0
    connect_ms: float = 0.0
    tls_ms: float = 0.0
    http_ms: float = 0.0  # from the first byte sent to the last byte received
    requests: int = 0


class Span(Record, frozen=True, kw_only=True):
    """One look, by the id of its observation, or one search ("search/exec-a")."""

    name: str
    began_ms: float  # after the start of the looking
    duration_ms: float
    spent: Spent = Spent()


class RunTimes(Record, frozen=True, kw_only=True):
    """All spans of a run, in the order in which they ended."""

    start_up_ms: float = 0.0  # from the start of the process to the start of the looking
    looking_ms: float = 0.0
    judging_ms: float = 0.0
    spans: tuple[Span, ...] = ()

    def chain(self) -> tuple[Span, ...]:
        """The spans that the run waited for, one after the other.

        From the end backwards: before each span the one that ended last before it began. A gap
        between two is time in which nothing was asked.
        """
        found: list[Span] = []
        left = sorted(self.spans, key=lambda span: span.began_ms + span.duration_ms)
        until = float("inf")
        while left:
            span = left.pop()
            if span.began_ms + span.duration_ms <= until and span.duration_ms > 0:
                found.append(span)
                until = span.began_ms
        return tuple(reversed(found))
