"""Something that is not Keptn answers at the endpoint.

Meaning       A login page, a proxy, a firewall's block page or another application stands where
              Keptn's gateway should be.
Decided by    The service's own request: an answer of 2xx that is no JSON, a redirect, or a refusal
              that Keptn does not use. What the operator's machine meets alone is a suspicion.
What to do    Send /api past the login or block page to api-gateway-nginx, or correct the host.
False alarms  401, 404, 429 and 5xx are answers that Keptn's gateway gives as well; they have checks
              of their own.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Endpoint,
    ExecutionPlane,
    Finding,
    GatewayAnswers,
    HttpAnswer,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    SdkHealth,
    address,
    check,
    failed,
    ongoing,
    passed,
    quoted,
    read_log,
    registered,
    skipped,
    suspected,
    undecided,
)

_KEPTN_ALSO = (401, 404, 405, 429)


@check(
    about=KeptnService,
    layer=Layer.HTTP,
    breaks="disconnected",
    explained_by=("scheme-port-mismatch",),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    plane: ExecutionPlane | None,
    local: LocalApiAnswer | None,
    health: SdkHealth | None,
    logs: tuple[PodLog, ...] | None,
    answers: GatewayAnswers | None,
) -> Finding:
    """Who answered the service itself counts; who answers the operator is a hint."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    at_fault = (f"what answers at {address(endpoint)}",) if _is_seen_here(answers) else ()
    remedy = "Let /api of that host lead to api-gateway-nginx, or correct the host."
    command = read_log(plane, service)
    if local is not None and local.origin != "distributor":
        answer = local.registration
        fits = answer.body == "json" if answer.status < 300 else answer.status in _KEPTN_ALSO
        if fits or answer.status >= 500:
            return passed(f"{endpoint.host} answers {service.name} as Keptn does.")
        title = f" “{answer.title}”" if answer.title else ""
        summary = (
            f"{endpoint.host} answers requests of {service.name} with {answer.status}{title}, "
            "which is not Keptn's."
        )
        return failed(summary, remedy=remedy, command=command, at_fault=at_fault)
    told = ongoing(logs, cause=("forbidden", "html_answer"))
    if told and not ongoing(logs, cause="bad_token"):
        summary = f"{endpoint.host} gives {service.name} no answer of Keptn: {quoted(told[0])}."
        return failed(summary, remedy=remedy, command=command, at_fault=at_fault)
    if registered(health):
        return passed(f"{service.name} is registered, so its requests arrived.")
    if answers is not None and answers.reached == "other":
        summary = f"Something that is not Keptn answers at {endpoint.url}, as seen from here."
        return suspected(summary, remedy=remedy)
    if answers is not None and answers.reached == "keptn":
        return undecided(f"Keptn answers at {endpoint.url} here; from inside it was not seen.")
    return undecided(f"Who answers at {endpoint.url} was not seen.")


def _is_seen_here(answers: GatewayAnswers | None) -> bool:
    """This machine gets such answers, too, on some of Keptn's routes at least."""
    if answers is None:
        return False
    pages = [r.answer for r in answers.routes if isinstance(r.answer, HttpAnswer)]
    refused = any(page.body == "html" and page.status >= 400 for page in pages)
    return answers.reached == "other" or refused
