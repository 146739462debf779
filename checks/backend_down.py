"""shipyard-controller, which keeps registrations and hands out events, is down.

Meaning       The gateway and the token check work, but every registration, heartbeat and poll ends
              at a backend that is not there (502, or 500 while it starts).
Decided by    The ready pods of shipyard-controller; or 502, 503 or 504 to the operator's own
              request for registrations while api-service answers.
What to do    See why its pod is not ready; most often it waits for MongoDB or NATS.
False alarms  A controller that is being replaced is away for some seconds.
"""

from __future__ import annotations

from keptn_doctor.api import (
    DATABASES,
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
    skipped,
    undecided,
    why_not_ready,
)

_GONE = (502, 503, 504)


@check(
    about=ControlPlane,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    proven_by="state",
    explains=("service-crash-looping",),
    explained_by=("database-down", "messaging-down"),
    since="0.1",
)
def judge(
    control_plane: ControlPlane, *, components: Components | None, answers: GatewayAnswers | None
) -> Finding:
    """A workload without a ready pod serves nobody; the answers behind the gateway are as good."""
    if components is None:
        return _by_answers(control_plane, answers)
    workload = component(components, "shipyard-controller")
    if workload is None:
        return skipped("There is no shipyard-controller; see control-plane-component-missing.")
    if workload.ready > 0:
        return passed("shipyard-controller has a ready pod.")
    if workload.desired == 0:
        command = "scale deployment/shipyard-controller --replicas=1"
    else:
        command = "describe pods -l app.kubernetes.io/name=shipyard-controller"
    return failed(
        f"No pod of shipyard-controller is ready: {why_not_ready(workload)}.",
        remedy="Bring shipyard-controller up; registrations, heartbeats and polls go to it.",
        command=kubectl(control_plane, command, namespace=control_plane.namespace),
        parts=(workload.name,),
        through=reasons(workload),
    )


def _by_answers(control_plane: ControlPlane, answers: GatewayAnswers | None) -> Finding:
    status = {route: _status(answers, route) for route in ("auth", "metadata", "registration")}
    api_service = any(0 < status[route] < 500 for route in ("auth", "metadata"))
    if status["registration"] in _GONE and api_service:
        return failed(
            f"shipyard-controller does not answer behind the gateway ({status['registration']}), "
            "while api-service does.",
            remedy="Bring shipyard-controller up; registrations, heartbeats and polls go to it.",
            command=kubectl(
                control_plane,
                "describe pods -l app.kubernetes.io/name=shipyard-controller",
                namespace=control_plane.namespace,
            ),
            parts=("shipyard-controller",),
            through=("shipyard-controller", *DATABASES),
        )
    if 0 < status["registration"] < 500:
        return passed("shipyard-controller answers.")
    return undecided(
        "Whether shipyard-controller answers could not be seen.",
        missing=("the control plane's workloads",),
    )


def _status(answers: GatewayAnswers | None, route: str) -> int:
    reply = answers.answer(route) if answers is not None else None
    return reply.status if isinstance(reply, HttpAnswer) else 0
