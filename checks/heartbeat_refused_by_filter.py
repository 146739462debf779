"""Heartbeats of a Keptn service are refused on the way, though registering works.

Meaning       A web application firewall or load balancer lets GET and POST through, but not PUT,
              which heartbeats use. A client from 0.14 on ends itself after ten of them, starts and
              registers again; an older one never gets its subscriptions and polls nothing.
Decided by    403 or 405 to heartbeats in the client's log, while it registers, or its own GET is
              answered.
What to do    Allow PUT and DELETE on /api/controlPlane/v1/uniform.
False alarms  404 to a heartbeat means that the record is gone; see registration-gone.
"""

from __future__ import annotations

import re

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    Finding,
    IntegrationListing,
    KeptnService,
    Layer,
    LocalApiAnswer,
    LogMatch,
    PodLog,
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
) -> Finding:
    """Heartbeats by their own line; what else works by the rest."""
    if endpoint is None or service.behaviour.heartbeat != "ping":
        return skipped(f"{service.name} sends no heartbeats by PUT.")
    beats = [
        match
        for log in logs
        for match in log.matches
        if match.event == "heartbeat" and _is_recent(match, log)
    ]
    refused = [m for m in beats if _REFUSALS.search(m.text) and "not found" not in m.text]
    if not refused:
        return passed(f"No heartbeat of {service.name} was seen to be refused.")
    record = attribute(service, listing, logs).integration if listing is not None else None
    registers = record is not None or bool(registration_ids(logs))
    reads = local is not None and 200 <= local.registration.status < 300
    if not registers and not reads:
        return undecided(f"Heartbeats of {service.name} are refused, and so may be all the rest.")
    works = "it registers" if registers else "its reads are answered"
    return failed(
        f"Heartbeats of {service.name} are refused on the way, though {works}: "
        f"{quoted(refused[0])}.",
        remedy=f"Allow PUT on {endpoint.path}/controlPlane/v1/uniform in the firewall or load "
        f"balancer in front of {endpoint.host}.",
        command=read_log(plane, service),
    )


def _is_recent(match: LogMatch, log: PodLog) -> bool:
    if log.previous or match.last_at is None or log.read_at is None:
        return True
    return (log.read_at - match.last_at).total_seconds() <= _WINDOW_S
