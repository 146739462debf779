"""What repeated calls leave at a gateway: access log lines, and refused authentications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from keptn_doctor.lab.clients.calls import Outcome
from keptn_doctor.lab.clients.client import PodRun, traffic_spans
from keptn_doctor.lab.clients.history import Span
from keptn_doctor.lab.clients.log import Timed
from keptn_doctor.lab.keptn.gateway import Gateway, Lines, Traffic
from keptn_doctor.lab.keptn.nginx import format_access, page
from keptn_doctor.lab.network.exchange import Answer, Call

_CYCLE = 20  # how finely a share of rate-limited calls is told
_TOO_MANY = b'{"code":429, "message":"too many requests"}'


def limited(pod: PodRun, share: float, gateway: Gateway) -> None:
    """Make a share of the periodic calls fail as they do when the limiter refuses."""
    calls = pod.phases[-1].calls
    status, body = (429, _TOO_MANY) if gateway.state.version >= (1, 2, 0) else (500, page(500).body)
    bad = min(_CYCLE, max(1, round(share * _CYCLE)))
    places = {int(i * _CYCLE / bad) for i in range(bad)}

    def thinned(outcomes: tuple[Outcome, ...], *, polling: bool) -> tuple[Outcome, ...]:
        return tuple(
            pod.caller.as_if(outcomes[i % len(outcomes)], status=status, body=body, polling=polling)
            if i in places
            else outcomes[i % len(outcomes)]
            for i in range(_CYCLE)
        )

    calls.pings = thinned(calls.pings, polling=False)
    calls.polls = {key: thinned(o, polling=True) for key, o in calls.polls.items()}


Heard = Mapping[str, list[tuple[Call, Answer]]]


def heard_by(gateway: Gateway) -> Heard:
    """What was rehearsed at a gateway, by the client that called."""
    found: dict[str, list[tuple[Call, Answer]]] = {}
    for call, answer in gateway.rehearsed:
        found.setdefault(call.origin.client, []).append((call, answer))
    return found


def traffic_of(heard: Heard, pod: PodRun, *, since: datetime) -> Iterator[Traffic]:
    """Access log lines of a client's repeated calls, as the gateway that heard them sees them."""
    mine = heard.get(pod.caller.place.subject)
    if not mine:
        return
    for span in traffic_spans(pod, since):
        seen = [pair for pair in mine if _is_of(span, pair[0])]
        if seen:
            statuses = frozenset(o.status for o in span.outcomes if o.status)
            yield Traffic(statuses=statuses, lines=_span_lines(span, seen))


def _is_of(span: Span, call: Call) -> bool:
    match span.kind:
        case "ping":
            return call.path.endswith("/ping") or (
                call.path.endswith("/registration") and span.outcomes[0].method == "POST"
            )
        case "register":
            return call.path.endswith("/uniform/registration")
        case "poll":
            event = span.subscription.event if span.subscription is not None else ""
            return call.path.endswith(f"/event/triggered/{event}")


def _span_lines(span: Span, seen: list[tuple[Call, Answer]]) -> Lines:
    def lines(since: datetime, until: datetime) -> Iterator[Timed]:
        for _, at, outcome in span.ticks(since, until):
            if not outcome.status:
                continue
            call, answer = next(
                (pair for pair in seen if pair[1].status == outcome.status), seen[-1]
            )
            yield (
                at,
                format_access(
                    address=call.origin.address,
                    at=at,
                    request=f"{call.method} {call.target}",
                    status=outcome.status or answer.status,
                    size=len(outcome.body or answer.body),
                    agent=call.headers.get("User-Agent", "-"),
                ),
            )

    return lines
