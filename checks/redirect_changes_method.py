"""A redirect on the way to Keptn turns registering into reading.

Meaning       The endpoint is http and is redirected to https with 301, 302 or 303. Go's client
              repeats a POST or PUT as a GET then, so polls work, and registrations and heartbeats
              get the list in place of an answer.
Decided by    "cannot unmarshal array" in the client's log, or such a redirect of the registration
              route as seen from here, together with a registration that fails.
What to do    Put the https URL into the endpoint.
False alarms  307 and 308 keep method and body (ingress-nginx's default); nothing is wrong then.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Breaks,
    Endpoint,
    ExecutionPlane,
    Finding,
    GatewayAnswers,
    HttpAnswer,
    IntegrationListing,
    KeptnService,
    Layer,
    PodLog,
    address,
    attribute,
    check,
    failed,
    freshness,
    ongoing,
    passed,
    quoted,
    set_variable,
    skipped,
    suspected,
    undecided,
)

_CHANGING = ("301 ", "302 ", "303 ")


@check(
    about=KeptnService,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    proven_by="state",
    explains=(
        "not-registered",
        "service-crash-looping",
        "heartbeat-stale",
        "answered-by-something-else",
        "api-path-wrong",
        "endpoint-unreachable",
        "registration-id-empty",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    answers: GatewayAnswers | None,
    listing: IntegrationListing | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """The client's own words; else the redirect, and no living registration."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    moved = _redirect(answers, endpoint.host)
    target = moved.partition(" -> ")[2].partition("/controlPlane")[0] if moved else ""
    remedy = "Put the URL that the redirect leads to into the endpoint."
    command = set_variable(
        plane, service, f"KEPTN_API_ENDPOINT={target or f'https://{endpoint.host}{endpoint.path}'}"
    )
    redirect = f"redirect at {address(endpoint)}"
    met = f"{redirect} as {service.plane} meets it"
    at_fault = (met, redirect) if moved else (met,)
    breaks: Breaks = "degraded" if service.behaviour.polls_without_registration else "disconnected"
    told = ongoing(logs, cause="redirect")
    if told and answers is not None and not moved and _answers_itself(answers):
        return suspected(
            f"{service.name} gets an answer that fits a redirect at {endpoint.url}; there is none "
            "as seen from here.",
            remedy=remedy,
        )
    if told:
        return failed(
            f"{endpoint.url} redirects, which turns registrations of {service.name} into reads: "
            f"{quoted(told[0])}.",
            remedy=remedy,
            command=command,
            breaks=breaks,
            at_fault=at_fault,
        )
    if answers is None:
        return undecided(f"Whether {endpoint.url} redirects was not seen.")
    if not moved:
        return passed(f"{endpoint.url} does not redirect in a way that changes the method.")
    if listing is None:
        return undecided(f"{endpoint.url} redirects, and the integrations could not be read.")
    record = attribute(service, listing, logs).integration
    if record is not None and freshness(record, listing).state == "fresh":
        return passed(f"{endpoint.url} redirects, and yet {service.name} sends heartbeats.")
    return failed(
        f"{endpoint.url} redirects ({moved.partition(' ')[0]}), so registrations and heartbeats of "
        f"{service.name} become reads and never arrive.",
        remedy=remedy,
        command=command,
        breaks=breaks,
        at_fault=at_fault,
    )


def _answers_itself(answers: GatewayAnswers) -> bool:
    """The endpoint answered from here, and not with a redirect to wherever."""
    got = [r.answer for r in answers.routes if isinstance(r.answer, HttpAnswer)]
    return bool(got) and not any(a.redirects or a.location for a in got)


def _redirect(answers: GatewayAnswers | None, host: str) -> str:
    """A redirect to the same host that Go follows with GET; to another host is a login, say."""
    for item in answers.routes if answers else ():
        if isinstance(item.answer, HttpAnswer):
            for hop in item.answer.redirects:
                target = hop.partition(" -> ")[2].partition("://")[2].partition("/")[0]
                if hop.startswith(_CHANGING) and target.partition(":")[0] == host:
                    return hop
    return ""
