"""A login stands in front of the Keptn API.

Meaning       An SSO proxy (oauth2-proxy, an identity-aware proxy) protects the whole host. People
              get a login page; clients with a token get it too, and cannot use it.
Decided by    Answers to this machine that lead to another host, or are a login page, or the
              annotations of the Ingress; and answers to the service that are not Keptn's.
What to do    Give /api a route without the login, or set up OAuth in the clients (OAUTH_...).
False alarms  Bridge may well have a login; only the API is asked here.
"""

from __future__ import annotations

import re

from keptn_doctor.api import (
    ControlPlane,
    Endpoint,
    ExposureRoutes,
    Finding,
    GatewayAnswers,
    HttpAnswer,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    address,
    answered,
    check,
    failed,
    keptn_answered,
    kubectl,
    ongoing,
    passed,
    quoted,
    skipped,
    suspected,
    undecided,
)

_WORDS = re.compile(
    r"login|log in|sign.?in|sso|oauth|openid|saml|auth\.|/auth\b|idp", re.IGNORECASE
)
_NOTES = ("auth-url", "auth-signin")


@check(
    about=KeptnService,
    layer=Layer.HTTP,
    breaks="disconnected",
    explained_by=("endpoint-address-stale",),
    explains=(
        "answered-by-something-else",
        "api-path-wrong",
        "service-crash-looping",
        "not-registered",
        "token-rejected",
        "redirect-changes-method",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    endpoint: Endpoint | None,
    control_plane: ControlPlane,
    answers: GatewayAnswers | None,
    routes: ExposureRoutes | None,
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """Who speaks at the endpoint, as far as anybody saw."""
    if endpoint is None or not endpoint.host:
        return skipped(f"{service.name} has no endpoint with a host.")
    if keptn_answered(local):
        return passed(f"Keptn answers {service.name} at {endpoint.host}.")
    login = _login(answers, routes, endpoint, local)
    if not login:
        if answers is not None and answers.reached == "keptn":
            return passed(f"Keptn answers at {endpoint.url}, without a login in front.")
        return undecided(f"No login was seen in front of {endpoint.url}.")
    remedy = "Lead /api past the login, by a route of its own."
    command = kubectl(control_plane, "get ingress -o yaml", namespace=control_plane.namespace)
    told = ongoing(
        logs, cause=("wrong_path", "html_answer", "forbidden", "redirect", "unknown", "bad_token")
    )
    if answered(local) or told:
        seen = f": {quoted(told[0])}" if told else ""
        summary = f"A login stands in front of {endpoint.host} ({login}), so {service.name} gets no"
        return failed(
            f"{summary} answer of Keptn{seen}.",
            remedy=remedy,
            command=command,
            at_fault=(f"login in front of {address(endpoint)}",),
        )
    return suspected(f"A login stands in front of {endpoint.host} ({login}).", remedy=remedy)


def _login(
    answers: GatewayAnswers | None,
    routes: ExposureRoutes | None,
    endpoint: Endpoint,
    local: LocalApiAnswer | None,
) -> str:
    """What shows a login, in words, "" when nothing does."""
    pages = [item.answer for item in answers.routes] if answers else []
    pages += [local.registration] if local is not None else []
    for page in pages:
        if not isinstance(page, HttpAnswer):
            continue
        for hop in page.redirects:
            origin, _, target = hop.partition(" -> ")
            same = origin.partition("://")[2] == target.partition("://")[2]
            if _WORDS.search(target) and not same:
                return f"it redirects to {target.partition('?')[0]}"
        if page.body == "html" and _WORDS.search(page.title):
            return f"its page is “{page.title}”"
    if answers is not None and answers.reached == "keptn":
        return ""
    for route in routes.routes if routes else ():
        notes = [key for key in route.annotations if key.endswith(_NOTES)]
        if notes and (endpoint.host in route.hosts or not route.hosts):
            return f"{route.route_kind} {route.name} has {notes[0]}"
    return ""
