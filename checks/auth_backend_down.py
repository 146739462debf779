"""api-service, which checks every token, is down.

Meaning       The gateway asks api-service about each request. When it is down, good tokens fail
              too, and the gateway says so in a misleading way: 500 up to 1.1, 429 "too many
              requests" from 1.2.
Decided by    The ready pods of api-service; or the operator's own requests: protected routes give
              500 or 429 while routes of api-service itself give 502, 503 or 504.
What to do    See why the pod of api-service is not ready.
False alarms  A real rate limit gives the same 500 or 429 on protected routes, but then api-service
              itself answers.
"""

from __future__ import annotations

from keptn_doctor.api import (
    Components,
    ControlPlane,
    Finding,
    GatewayAnswers,
    HttpAnswer,
    Layer,
    check,
    component,
    failed,
    kubectl,
    passed,
    reasons,
    undecided,
    why_not_ready,
)

_GONE = (502, 503, 504)


@check(
    about=ControlPlane,
    layer=Layer.AUTH,
    breaks="disconnected",
    proven_by="state",
    explained_by=("backend-down", "database-down", "messaging-down"),
    since="0.1",
)
def judge(
    control_plane: ControlPlane, *, components: Components | None, answers: GatewayAnswers | None
) -> Finding:
    """Pods first; the answers behind the same gateway are as good."""
    workload = component(components, "api-service") if components else None
    remedy = "Bring api-service up; no token can be checked without it."
    command = kubectl(
        control_plane,
        "describe pods -l app.kubernetes.io/name=api-service",
        namespace=control_plane.namespace,
    )
    if workload is not None and workload.ready == 0:
        summary = f"No pod of api-service is ready: {why_not_ready(workload)}."
        return failed(
            summary, remedy=remedy, command=command, parts=(workload.name,),
            through=reasons(workload),
        )  # fmt: skip
    own = [_status(answers, route) for route in ("auth", "metadata")]
    protected = _status(answers, "registration")
    if any(status in _GONE for status in own) and protected in (429, 500, *_GONE):
        summary = (
            f"api-service does not answer behind the gateway ({max(own)}), so protected requests "
            f"get {protected}."
        )
        return failed(summary, remedy=remedy, command=command, parts=("api-service",))
    if workload is not None or any(0 < status < 500 for status in own):
        return passed("api-service answers.")
    return undecided("Whether api-service answers could not be seen.")


def _status(answers: GatewayAnswers | None, route: str) -> int:
    reply = answers.answer(route) if answers is not None else None
    return reply.status if isinstance(reply, HttpAnswer) else 0
