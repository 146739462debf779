"""The endpoint's path does not lead to the Keptn API.

Meaning       A web server is reached, but it knows no such path: /api is missing or written twice,
              a prefix of the gateway is left out, or the ingress has no rule for the host.
Decided by    404 or 405 to the service's own request, or such an answer in its log; a web page,
              when the path does not end in /api and the host is Keptn's (Bridge is a page).
What to do    The endpoint ends in /api, after the gateway's prefix if it has one. The Helm charts
              add /api themselves: remoteControlPlane.api.hostname must not hold it.
False alarms  A control plane before 0.8.4 has no registration API and answers 404 there, while its
              polls work; that is not taken for a wrong path.
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
    check,
    failed,
    ongoing,
    passed,
    quoted,
    registered,
    set_variable,
    skipped,
    undecided,
)


@check(
    about=KeptnService,
    layer=Layer.HTTP,
    breaks="disconnected",
    explains=("answered-by-something-else",),
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
    """The own request shows the status and who answered; the log at least the status."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    remedy, url = _remedy(endpoint)
    command = set_variable(plane, service, f"KEPTN_API_ENDPOINT={url}")
    if _meets_a_page(endpoint, local, logs, answers):
        summary = f"{endpoint.url} is a page of Keptn's gateway for people, not the API."
        return failed(summary, remedy=remedy, command=command)
    if local is not None:
        status = local.registration.status
        polls = isinstance(local.poll, HttpAnswer) and local.poll.status == 200
        if status not in (404, 405) or polls:
            return passed(f"The path of {endpoint.url} leads somewhere: {status}.")
        page = "a web page" if local.registration.body == "html" else "an error in JSON"
        summary = (
            f"Requests of {service.name} to {endpoint.url} are answered with {status} and {page}."
        )
        return failed(summary, remedy=remedy, command=command)
    told = ongoing(logs, event=("not_registered", "heartbeat", "poll"), cause="wrong_path")
    if told:
        summary = f"The path of {endpoint.url} is not known there: {quoted(told[0])}."
        return failed(summary, remedy=remedy, command=command)
    if registered(health):
        return passed(f"{service.name} is registered, so its requests arrived.")
    return undecided(
        f"What {endpoint.url} answers to {service.name} was not seen.",
        missing=("a look through the distributor's API proxy (port-forward)",),
    )


def _meets_a_page(
    endpoint: Endpoint,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
    answers: GatewayAnswers | None,
) -> bool:
    """A page instead of JSON, on Keptn's own host, beside /api."""
    if endpoint.path.rstrip("/").endswith("/api") or answers is None or answers.reached != "keptn":
        return False
    if local is not None:
        return local.registration.status < 300 and local.registration.body == "html"
    return bool(ongoing(logs, cause="html_answer"))


def _remedy(endpoint: Endpoint) -> tuple[str, str]:
    """What to change, and the endpoint that would probably be right."""
    root = f"{endpoint.scheme}://{endpoint.url.partition('://')[2].partition('/')[0]}"
    path = endpoint.path.rstrip("/").removesuffix("/bridge")
    if path.count("/api") > 1:
        return "Write /api once: charts add it to the hostname themselves.", f"{root}/api"
    if not path.endswith("/api"):
        return "Let the endpoint end in /api.", f"{root}{path}/api"
    return (
        "Add the gateway's prefix path before /api, and see that an ingress rule fits the host.",
        f"{root}/<prefix>/api",
    )
