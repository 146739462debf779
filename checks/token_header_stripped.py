"""Something in front of Keptn takes the token out of the requests.

Meaning       A reverse proxy, API gateway or CDN does not pass the header x-token on, so a right
              token is refused with 401.
Decided by    The control plane's own token, sent from here, is answered as if there were none
              ("unauthenticated", where a wrong one is "incorrect"); or it is good at one endpoint
              and refused at another.
What to do    Let the proxy pass the request header x-token.
False alarms  An api-service that was not restarted after a rotation refuses the new token as a
              wrong one, in those words.
"""

from __future__ import annotations

from typing import Annotated

from keptn_doctor.api import (
    CONTROL_PLANE,
    Endpoint,
    ExecutionPlane,
    Finding,
    GatewayAnswers,
    HttpAnswer,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    ReferenceToken,
    TokenCheck,
    address,
    check,
    failed,
    ongoing,
    passed,
    read_log,
    skipped,
    undecided,
)

_AS_IF_NONE = "unauthenticated"


@check(
    about=KeptnService,
    layer=Layer.AUTH,
    breaks="disconnected",
    explained_by=("login-page-in-front", "other-control-plane-answers"),
    explains=("token-rejected", "api-service-holds-old-token", "service-crash-looping"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    plane: ExecutionPlane | None,
    endpoint: Endpoint | None,
    reference: ReferenceToken | None,
    operator: TokenCheck | None,
    answers: GatewayAnswers | None,
    own: Annotated[GatewayAnswers | None, CONTROL_PLANE],
    local: LocalApiAnswer | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """The words of a refusal tell whether a token arrived."""
    if endpoint is None or service.mode != "remote" or service.oauth.enabled:
        return skipped(f"{service.name} sends no token.")
    refused = local is not None and local.registration.status == 401
    told = ongoing(logs, cause="bad_token")
    if local is not None and 200 <= local.registration.status < 300:
        return passed(f"The token of {service.name} arrives.")
    if not refused and not told:
        return undecided(f"No request of {service.name} was seen to be refused.")
    auth = _auth(answers) or _auth(own)
    at_fault = (f"what strips x-token at {address(endpoint)}",)
    remedy = "Let the proxy in front of Keptn pass the request header x-token."
    if auth is not None and auth.status == 401:
        if _AS_IF_NONE in auth.title.lower():
            return failed(
                f"{endpoint.host} answers a request with a token as if it had none "
                f"(“{auth.title}”), and refuses {service.name}.",
                remedy=remedy,
                command=read_log(plane, service),
                at_fault=at_fault,
            )
        return passed("A token sent from here arrives: it is refused as a wrong one.")
    same = reference is not None and reference.fingerprint in (
        service.token.fingerprint,
        service.token.stripped_fingerprint,
    )
    good = (
        operator is not None
        and operator.accepted
        and reference is not None
        and (operator.fingerprint == reference.fingerprint)
    )
    elsewhere = _auth(answers) is None and not endpoint.used_by_operator
    if elsewhere and same and good and answers is not None and answers.reached == "keptn":
        return failed(
            f"The token of {service.name} is good at the control plane, and refused at "
            f"{endpoint.host}.",
            remedy=remedy,
            command=read_log(plane, service),
            at_fault=at_fault,
        )
    return undecided(f"Whether a token arrives at {endpoint.host} was not seen.")


def _auth(answers: GatewayAnswers | None) -> HttpAnswer | None:
    """What api-service says to a token sent from here; None where none was sent."""
    answer = answers.answer("auth", with_token=True) if answers is not None else None
    return answer if isinstance(answer, HttpAnswer) else None
