"""A filter in front of Keptn refuses what a Keptn service writes, though reads pass.

Meaning       A web application firewall or load balancer lets GET through, but not PUT, which
              heartbeats use, or not POST, by which a client registers. With PUT refused a client
              from 0.14 on ends itself after ten heartbeats, starts and registers again; an older
              one never gets its subscriptions and polls nothing.
Decided by    403 or 405 to heartbeats in the client's log, while it registers or its own GET is
              answered; or to registrations, while Keptn answers reads at the same endpoint.
What to do    Allow POST, PUT and DELETE on /api/controlPlane/v1/uniform.
False alarms  404 to a heartbeat means that the record is gone; see registration-gone.
"""

from __future__ import annotations

import re
from typing import Annotated

from keptn_doctor.api import (
    CONTROL_PLANE,
    Endpoint,
    ExecutionPlane,
    Finding,
    GatewayAnswers,
    HttpAnswer,
    IntegrationListing,
    KeptnService,
    Layer,
    LocalApiAnswer,
    LogMatch,
    PodLog,
    address,
    attribute,
    check,
    failed,
    passed,
    quoted,
    read_log,
    registration_ids,
    skipped,
    undecided,
)

_REFUSALS = re.compile(r"\b40[35]\b|Request Rejected|Forbidden|Not Allowed")
_WINDOW_S = 900


@check(
    about=KeptnService,
    layer=Layer.REGISTRATION,
    breaks="degraded",
    explained_by=("source-ranges-exclude-plane",),
    explains=(
        "service-crash-looping",
        "heartbeat-stale",
        "answered-by-something-else",
        "api-path-wrong",
        "registration-gone",
        "not-registered",
        "login-page-in-front",
        "ingress-host-mismatch",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    logs: tuple[PodLog, ...],
    listing: IntegrationListing | None,
    local: LocalApiAnswer | None,
    answers: GatewayAnswers | None,
    own: Annotated[GatewayAnswers | None, CONTROL_PLANE],
) -> Finding:
    """Which writes are refused, and what else works."""
    if endpoint is None or not service.behaviour.registers:
        return skipped(f"{service.name} does not register over HTTP.")
    beats = _refused(logs, "heartbeat")
    posts = _refused(logs, "not_registered")
    if not beats and not posts:
        return passed(f"No write of {service.name} was seen to be refused.")
    reads = local is not None and 200 <= local.registration.status < 300
    if beats:
        record = attribute(service, listing, logs).integration if listing is not None else None
        registers = record is not None or bool(registration_ids(logs))
        what, line = "Heartbeats (PUT)", beats[0]
        works = "it registers" if registers else "its reads are answered" if reads else ""
    else:
        elsewhere = answers is not None and answers.reached == "keptn" and _reads_pass(own)
        what, line = "Registrations (POST)", posts[0]
        works = "Keptn answers reads there" if reads or elsewhere else ""
    if not works:
        return undecided(f"{what} of {service.name} are refused, and so may be all the rest.")
    return failed(
        f"{what} of {service.name} are refused on the way, though {works}: {quoted(line)}.",
        remedy=f"Allow POST and PUT on {endpoint.path}/controlPlane/v1/uniform in the firewall or "
        f"load balancer in front of {endpoint.host}.",
        command=read_log(plane, service),
        breaks="degraded" if beats else "disconnected",
        at_fault=(f"filter in front of {address(endpoint)}",),
    )


def _reads_pass(answers: GatewayAnswers | None) -> bool:
    """Whether this machine may read the list of registrations, as far as it asked."""
    answer = answers.answer("registration") if answers is not None else None
    return not isinstance(answer, HttpAnswer) or answer.status not in (403, 405)


def _refused(logs: tuple[PodLog, ...], event: str) -> list[LogMatch]:
    """Lines of one kind that tell of a refusal; a later success does not undo it here."""
    return [
        match
        for log in logs
        for match in log.matches
        if match.event == event
        and _is_recent(match, log)
        and _REFUSALS.search(match.text)
        and "not found" not in match.text
    ]


def _is_recent(match: LogMatch, log: PodLog) -> bool:
    if log.previous or match.last_at is None or log.read_at is None:
        return True
    return (log.read_at - match.last_at).total_seconds() <= _WINDOW_S
