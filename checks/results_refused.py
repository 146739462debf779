"""What a Keptn service sends back is refused on the way, though it fetches events.

Meaning       A firewall, an Ingress rule or a proxy lets heartbeats and polls through, and not the
              POST of started and finished events to /api/v1/event. Tasks are done, and their
              sequences wait for ever.
Decided by    Events that the client could not send, with an answer that is not Keptn's word on the
              event itself (403, 404, 405, a redirect, a web page).
What to do    Allow POST on /api/v1/event; let slashes be merged if the endpoint ends in one.
False alarms  Events refused for their size or content are other matters: see body-too-large and
              events-rejected-by-validation.
"""

from __future__ import annotations

import re

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    Finding,
    KeptnService,
    Layer,
    PodLog,
    check,
    failed,
    passed,
    quoted,
    read_log,
    skipped,
    troubles,
)

_OTHERS = re.compile(r"\b413\b|too large", re.IGNORECASE)


@check(
    about=KeptnService,
    layer=Layer.DELIVERY,
    breaks="degraded",
    explained_by=("body-too-large", "events-rejected-by-validation", "redirect-changes-method"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    logs: tuple[PodLog, ...],
) -> Finding:
    """The client's own words about what it sent."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint that it could send to.")
    told = troubles(
        logs, event="send", cause=("forbidden", "wrong_path", "redirect", "html_answer")
    )
    refused = [match for match in told if not _OTHERS.search(match.text)]
    if not refused:
        return passed(f"No event that {service.name} sent was seen to be refused on the way.")
    return failed(
        f"Events that {service.name} sends are refused on the way to Keptn: {quoted(refused[0])}.",
        remedy=f"Allow POST on {endpoint.path}/v1/event in what stands in front of "
        f"{endpoint.host}.",
        command=read_log(plane, service),
    )
