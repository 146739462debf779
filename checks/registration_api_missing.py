"""The control plane lacks the registration API that a Keptn service's client needs.

Meaning       Registrations came with control plane 0.8.4, heartbeats and subscriptions with 0.9.0.
              Clients from 0.9 on poll nothing without them: they get 404, and from 0.12 on end
              themselves.
Decided by    The version of the control plane against that of the client, or "404 page not found"
              in the client's log.
What to do    Use a distributor of the control plane's version, or bring the control plane up to
              date.
False alarms  Distributors up to 0.8 poll without being registered and need nothing.
"""

from __future__ import annotations

import re

from keptn_doctor.api import (
    ControlPlane,
    ExecutionPlane,
    Finding,
    KeptnService,
    KeptnVersion,
    Layer,
    PodLog,
    check,
    failed,
    kubectl,
    ongoing,
    passed,
    quoted,
    skipped,
    undecided,
)

_NO_REGISTRATION = re.compile(r"0\.(?:[0-7]\.\d+|8\.[0-3])(?:\D|$)")
_NO_HEARTBEAT = re.compile(r"0\.8\.\d+(?:\D|$)")


@check(
    about=KeptnService,
    layer=Layer.REGISTRATION,
    breaks="disconnected",
    explains=(
        "service-crash-looping",
        "not-registered",
        "api-path-wrong",
        "registration-gone",
        "heartbeat-stale",
        "no-subscription",
    ),
    since="0.1",
)
def judge(
    service: KeptnService,
    *,
    control_plane: ControlPlane,
    plane: ExecutionPlane | None,
    version: KeptnVersion | None,
    logs: tuple[PodLog, ...] | None,
) -> Finding:
    """What the client needs against what the control plane has."""
    if service.behaviour.polls_without_registration or service.mode != "remote":
        return skipped(f"{service.name} polls without being registered.")
    known = version.version if version else control_plane.version
    told = ongoing(logs, cause="version_skew")
    if _NO_REGISTRATION.match(known):
        lacks = "no registrations (they came with 0.8.4)"
    elif _NO_HEARTBEAT.match(known) and service.behaviour.heartbeat == "ping":
        lacks = "no heartbeats and no subscriptions (they came with 0.9.0)"
    elif known:
        return passed(f"Control plane {known} knows registrations and heartbeats.")
    elif told:
        lacks = f"no such request: {quoted(told[0])}"
    else:
        return undecided("The version of the control plane is not known.")
    return failed(
        f"Control plane {known or '(of unknown version)'} knows {lacks}; without them the client "
        f"{service.client_version} of {service.name} polls nothing.",
        remedy="Use a distributor of the control plane's version, or upgrade the control plane.",
        command=kubectl(
            plane,
            f"set image deployment/{service.name} "
            f"{service.container or 'distributor'}=docker.io/keptn/distributor:{known or '0.8.7'}",
            namespace=service.namespace,
        ),
        at_fault=(f"registrations of control plane {known or 'of unknown version'}",),
    )
