"""A Keptn service with the right token is turned away because of a neighbour with a wrong one.

Meaning       api-service checks about one token a second for each source address (for everybody
              together before 0.13.5 and 0.14.2), and counts before it looks at the token. A client
              that keeps asking with a wrong one uses up the turns of all that share its address.
Decided by    429 (500 before 1.2) towards the service, now or in its log beside requests that are
              answered, while api-service is up and refuses the token of somebody else.
What to do    Mend the neighbour's token first; then raise apiService.maxAuth.requestsPerSecond if
              need be.
False alarms  When api-service is down the gateway gives the same answers; that is
              auth-backend-down.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    GatewayLog,
    HttpAnswer,
    KeptnService,
    Layer,
    LocalApiAnswer,
    PodLog,
    ReferenceToken,
    Topology,
    check,
    component,
    failed,
    kubectl,
    ongoing,
    passed,
    quoted,
    skipped,
    troubles,
    undecided,
)

_SAME_ANSWER = (429, 500)


@check(
    about=KeptnService,
    layer=Layer.AUTH,
    breaks="degraded",
    explained_by=(
        "auth-backend-down",
        "gateway-upstream-stale",
        "database-down",
        "backend-down",
    ),
    explains=("service-crash-looping", "heartbeat-stale", "not-registered", "control-plane-slow"),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    topology: Topology,
    components: Components | None,
    reference: ReferenceToken | None,
    log: GatewayLog | None,
    local: tuple[LocalApiAnswer, ...] | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """Turned away with a good token, while somebody is refused with a bad one."""
    if service.mode != "remote":
        return skipped(f"{service.name} does not call a remote control plane.")
    own = service.token.fingerprint
    if reference is not None and own and own != reference.fingerprint:
        return skipped(f"{service.name} has a wrong token itself.")
    statuses = [status for item in local or () for status in _statuses(item)]
    if 401 in statuses or ongoing(logs, cause="bad_token"):
        return skipped(f"{service.name} is refused itself.")
    told = troubles(logs, cause="rate_limited", within_s=900)
    culprits = _wrong_tokens(topology, service, reference)
    if culprits and 200 in statuses:  # api-service is up, so a 500 in the log is the limiter's
        told += ongoing(logs, cause="backend_down")
    limited = [status for status in statuses if status in _SAME_ANSWER]
    if not told and not limited:
        if 200 in statuses:
            return passed(f"Requests of {service.name} are not turned away.")
        return undecided(f"No request of {service.name} was seen to be turned away.")
    api = component(components, "api-service") if components else None
    if api is not None and api.ready == 0:
        return skipped("api-service is down; see auth-backend-down.")
    refused = log is not None and log.rejected > 0
    if not culprits and not refused:
        return undecided(f"{service.name} is turned away now and then, and nobody is refused.")
    whose = (
        f"the token of {', '.join(culprits)} is wrong"
        if culprits
        else (f"the gateway refused {log.rejected if log else 0} requests with 401")
    )
    wrong = {(o.plane, o.token.fingerprint) for o in topology.services if o.subject in culprits}
    one_token = len(wrong) == 1
    seen = quoted(told[0]) if told else f"{limited[0]} to {len(limited)} of {len(statuses)}"
    return failed(
        f"Requests of {service.name} are turned away though its token is right ({seen}), while "
        f"{whose}.",
        remedy="Mend the wrong token; it uses up the turns of all that share its address.",
        command=kubectl(
            control_plane,
            "logs deployment/api-service --tail 50",
            namespace=control_plane.namespace,
        ),
        at_fault=tuple(f"token of {culprit}" for culprit in culprits if one_token),
    )


def _statuses(local: LocalApiAnswer) -> list[int]:
    """Of its requests; an error in JSON is a component's own and says nothing of the limit."""
    answers = [local.registration, local.poll]
    return [
        answer.status
        for answer in answers
        if isinstance(answer, HttpAnswer) and not (answer.status >= 500 and answer.body == "json")
    ]


def _wrong_tokens(
    topology: Topology, service: KeptnService, reference: ReferenceToken | None
) -> list[str]:
    if reference is None or not reference.fingerprint:
        return []
    return [
        other.subject
        for other in topology.services
        if other.subject != service.subject
        and other.mode == "remote"
        and other.token.fingerprint
        and reference.fingerprint not in (other.token.fingerprint, other.token.stripped_fingerprint)
    ]
